import { z } from 'zod'

/** One option, declared once: its environment variable, type, default and documentation all come from here. */
export interface Setting<T> {
  /** Parses the text of the environment variable. */
  readonly schema: z.ZodType<T>
  /** In words for the documentation: "seconds", "true or false". */
  readonly type: string
  /** What holds when nothing is set; `undefined` stays undefined. */
  readonly fallback: T
  readonly documentation: string
  /** A secret is never printed, and can be given as a file through `<NAME>_FILE`. */
  readonly secret: boolean
  /** A name that the field already uses (DATABASE_URL, PORT) instead of the derived one. */
  readonly variable?: string
  /** Shown in the documentation where the default is made on the spot. */
  readonly fallbackText?: string
}

export type Settings = Readonly<Record<string, Setting<unknown>>>
export type SettingValues<S extends Settings> = {
  readonly [Key in keyof S]: S[Key] extends Setting<infer T> ? T : never
}

interface Options {
  readonly secret?: boolean
  readonly variable?: string
  readonly fallbackText?: string
}

interface Declaration<T> extends Options {
  readonly schema: z.ZodType<T>
  readonly type: string
  readonly fallback: T
  readonly documentation: string
}

const declare = <T>(declaration: Declaration<T>): Setting<T> => ({ secret: false, ...declaration })

const wholeNumber = (minimum: number, maximum: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum, `must be at least ${minimum}`).max(maximum, `must be at most ${maximum}`))

const filledText = z.string().min(1, 'must not be empty')

export const text = (fallback: string, documentation: string, options?: Options): Setting<string> =>
  declare({ schema: filledText, type: 'text', fallback, documentation, ...options })

/** A setting that nothing holds for when nothing is set. */
const optional = (declaration: Omit<Declaration<string>, 'fallback'>): Setting<string | undefined> =>
  declare<string | undefined>({ ...declaration, fallback: undefined })

export const optionalText = (documentation: string, options?: Options): Setting<string | undefined> =>
  optional({ schema: filledText, type: 'text', documentation, ...options })

export const optionalUrl = (documentation: string, options?: Options): Setting<string | undefined> =>
  optional({ schema: z.url('must be a URL'), type: 'URL', documentation, ...options })

/** A colour as `#rrggbb`. */
export const optionalColour = (documentation: string): Setting<string | undefined> =>
  optional({
    schema: z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #0f6b5c'),
    type: 'colour',
    documentation,
  })

export const flag = (fallback: boolean, documentation: string, options?: Options): Setting<boolean> =>
  declare({
    schema: z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true'),
    type: 'true or false',
    fallback,
    documentation,
    ...options,
  })

/** A number of seconds, at least `minimum`. */
export const seconds = (fallback: number, documentation: string, minimum = 1): Setting<number> =>
  declare({ schema: wholeNumber(minimum, 10 * 365 * 86_400), type: 'seconds', fallback, documentation })

export const integer = (
  fallback: number,
  documentation: string,
  options: Options & { readonly minimum?: number; readonly maximum?: number } = {},
): Setting<number> => {
  const { minimum = 0, maximum = 1_000_000_000, ...rest } = options
  return declare({
    schema: wholeNumber(minimum, maximum),
    type: `whole number from ${minimum} to ${maximum}`,
    fallback,
    documentation,
    ...rest,
  })
}

/** A whole number that nothing holds for when nothing is set. */
export const optionalInteger = (
  documentation: string,
  options: Options & { readonly minimum: number; readonly maximum: number },
): Setting<number | undefined> => {
  const { minimum, maximum, ...rest } = options
  return declare<number | undefined>({
    schema: wholeNumber(minimum, maximum),
    type: `whole number from ${minimum} to ${maximum}`,
    fallback: undefined,
    documentation,
    ...rest,
  })
}

export const choice = <const T extends string>(
  values: readonly T[],
  fallback: T,
  documentation: string,
): Setting<T> =>
  declare({
    schema: z.enum(values as readonly [T, ...T[]], `must be one of ${values.join(', ')}`) as z.ZodType<T>,
    type: values.join(' | '),
    fallback,
    documentation,
  })

/** A comma-separated list. */
export const list = (
  fallback: readonly string[],
  documentation: string,
  options?: Options,
): Setting<readonly string[]> =>
  declare<readonly string[]>({
    schema: z.string().transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    ),
    type: 'comma-separated list',
    fallback,
    documentation,
    ...options,
  })

/** `LATCHKEY_<SECTION>_<KEY>` in upper snake case; the section `server` is left out. */
export function variableOf(section: string, key: string, setting: Setting<unknown>): string {
  if (setting.variable !== undefined) return setting.variable
  const words = section === 'server' ? key : `${section}-${key}`
  return `LATCHKEY_${words
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/-/g, '_')
    .toUpperCase()}`
}
