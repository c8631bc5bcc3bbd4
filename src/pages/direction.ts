/** Which way texts run, and how one of them keeps to its place within another (UAX #9, the bidirectional algorithm). */

export type Direction = 'ltr' | 'rtl'

/** The writing direction of one of our languages, for the `dir` of a document. */
export const directionOf = (locale: string): Direction =>
  /^(ar|dv|fa|he|ks|ku|ps|sd|ug|ur|yi)\b/.test(locale) ? 'rtl' : 'ltr'

/** FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: what is between them neither turns nor is turned by its neighbours. */
const opening = '\u2068'
const closing = '\u2069'
const controls = /[\u202a-\u202e\u2066-\u2069]/g
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * A value as it is put into a message. It is isolated where it or the message runs from right to left: without that a name
 * that ends in punctuation, or in digits, would move words of the message. Anywhere else it stays what it was.
 */
export const isolated = (value: string, around: Direction): string =>
  value !== '' && (around === 'rtl' || rightToLeft.test(value))
    ? `${opening}${contained(value)}${closing}`
    : value

/** A text that turns nothing outside of itself: without embeddings and overrides, and with every isolate closed. */
export function contained(text: string): string {
  let open = 0
  const kept = text.replace(controls, (control) => {
    if (control === opening) open += 1
    else if (control !== closing || open === 0) return ''
    else open -= 1
    return control
  })
  return kept + closing.repeat(open)
}

/** A text without isolates, for where nothing stands around it and it may be copied: the title of a page or a mail. */
export const unisolated = (text: string): string => text.replaceAll(/[\u2066-\u2069]/g, '')
