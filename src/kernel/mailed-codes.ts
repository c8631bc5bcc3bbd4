import { randomInt, timingSafeEqual } from 'node:crypto'

/**
 * Digits of a code that is mailed and typed. With so few answers for each code and the waits of the throttle, somebody who
 * guesses all day at one account has a chance of one in a million; six digits would leave him one in ten thousand.
 */
export const mailedCodeDigits = 8

/** Answers to one mailed code; they are counted before they are looked at. */
export const answersPerMailedCode = 5

/** A random code, leading zeros included. */
export const newMailedCode = (): string =>
  String(randomInt(10 ** mailedCodeDigits)).padStart(mailedCodeDigits, '0')

/** The code in what somebody typed or pasted, however it is grouped; `undefined` when it can be none. */
export function readMailedCode(text: string): string | undefined {
  const digits = text
    .normalize('NFKC')
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(easternDigits, (digit) => String(((digit.codePointAt(0) ?? 0) - 0x0660) % 0x10))
  return /^\d+$/.test(digits) && digits.length === mailedCodeDigits ? digits : undefined
}

/** Arabic and Persian keyboards type U+0660–0669 and U+06F0–06F9. */
const easternDigits = /[\u0660-\u0669\u06f0-\u06f9]/g

/** In time that tells nothing. */
export const isSameCode = (given: string, code: string): boolean =>
  given.length === code.length && timingSafeEqual(Buffer.from(given), Buffer.from(code))

/** As people read it: `1234 5678`. */
export const groupedCode = (code: string): string => code.replace(/(\d{4})(?=\d)/g, '$1 ')
