import { randomBytes } from 'node:crypto'
import { setSize } from './recovery-codes.ts'

/** Crockford's Base32: nothing in it is taken for something else, and each character holds 5 bits. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const length = 24
const groupLength = 4

/** One code of 120 random bits, as it is hashed: without dashes. */
function newCode(): string {
  // 256 is a multiple of 32, so every character is as likely as any other.
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('')
}

/** A set of new codes, as they are hashed. */
export const newCodes = (): readonly string[] => Array.from({ length: setSize }, newCode)

/** As a person reads and writes it: `7H2K-…`. */
export const written = (code: string): string =>
  (code.match(new RegExp(`.{${groupLength}}`, 'g')) ?? []).join('-')

/** What a person typed, as it is hashed: case, blanks and dashes do not count, O is 0, I and L are 1. */
export const typedCode = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\s\p{Pd}\p{Cf}_]/gu, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')

/** Whether it can be a code at all, as `typedCode` gives it. */
export const isCode = (text: string): boolean =>
  text.length === length && [...text].every((character) => alphabet.includes(character))
