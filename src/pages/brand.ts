/** How an installation presents itself on the hosted pages. */
export interface Brand {
  readonly name: string
  /** `#rrggbb`. Its shades are derived so that text on it and in it stays readable in light and dark. */
  readonly accent?: string
  /** An own-origin path or an https address; the latch-key mark where absent. */
  readonly logoUrl?: string
}

type Rgb = readonly [red: number, green: number, blue: number]

/** What accents stand on, and the end of the scale that is away from it. */
interface Scheme {
  readonly background: Rgb
  readonly away: Rgb
}

const defaultAccent = '#0f6b5c'
const white: Rgb = [255, 255, 255]
const black: Rgb = [0, 0, 0]
// The darkest light and the lightest dark background that accents stand on; the stylesheet's --canvas and --raised.
const lightBackground: Rgb = [245, 246, 245]
const darkBackground: Rgb = [31, 36, 34]

/** The accent's shades on one background, as `#rrggbb`. */
export interface Accents {
  readonly accent: string
  readonly 'accent-hover': string
  readonly 'on-accent': string
  readonly 'accent-text': string
}

/** For both colour schemes (WCAG 2.2: 4.5:1 for text, 3:1 for shapes). Throws on a malformed colour. */
export function brandAccents(brand: Brand): { readonly light: Accents; readonly dark: Accents } {
  const accent = parseColour(brand.accent ?? defaultAccent)
  return {
    light: accents(accent, { background: lightBackground, away: black }),
    dark: accents(accent, { background: darkBackground, away: white }),
  }
}

/** The accent tokens as CSS. Throws on a malformed colour. */
export function brandStylesheet(brand: Brand): string {
  const { light, dark } = brandAccents(brand)
  return `:root{${tokens(light)}}@media (prefers-color-scheme:dark){:root{${tokens(dark)}}}`
}

const tokens = (shades: Accents): string =>
  Object.entries(shades)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';')

function accents(accent: Rgb, scheme: Scheme): Accents {
  const fill = readable(accent, 3, scheme)
  const text = readable(accent, 4.5, scheme)
  const onFill = contrast(white, fill) >= 4.5 ? white : black
  const hover = mix(fill, onFill === white ? black : white, 0.12)
  return {
    accent: format(fill),
    'accent-hover': format(hover),
    'on-accent': format(onFill),
    'accent-text': format(text),
  }
}

/** Moves a colour away from the background in small steps until it has the contrast. */
function readable(colour: Rgb, ratio: number, { background, away }: Scheme): Rgb {
  const steps = Array.from({ length: 26 }, (_, step) => mix(colour, away, step / 25))
  return steps.find((candidate) => contrast(candidate, background) >= ratio) ?? away
}

/** WCAG 2.2 contrast ratio, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (lighter + 0.05) / (darker + 0.05)
}

/** Reads `#rrggbb`. Throws on anything else. */
export function parseColour(text: string): Rgb {
  if (!/^#[0-9a-f]{6}$/i.test(text)) throw new Error(`Not a colour of the form #rrggbb: ${text}`)
  const number = Number.parseInt(text.slice(1), 16)
  return [number >> 16, (number >> 8) & 255, number & 255]
}

function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function mix([r, g, b]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  return [r + (r2 - r) * share, g + (g2 - g) * share, b + (b2 - b) * share]
}

function format(colour: Rgb): string {
  return `#${colour.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`
}
