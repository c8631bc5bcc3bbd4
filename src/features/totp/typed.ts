import { isCode, typedDigits } from './codes.ts'
import { codeMalformed, codeMissing, nameInvalid, nameLength, nameMissing } from './totp.ts'

const longestTyped = 100

/** What cannot be a code is no guess and is not counted as one. Throws `totp.code_missing`, `totp.code_malformed` (400). */
export function readCode(typed: string): string {
  if (typed.trim() === '') throw codeMissing()
  if (typed.length > longestTyped) throw codeMalformed()
  const code = typedDigits(typed)
  if (!isCode(code)) throw codeMalformed()
  return code
}

// Controls, line and paragraph separators, lone surrogates, and characters that nobody can see or that reorder others.
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

/** What an authenticator is called. Throws `totp.name_missing` and `totp.name_invalid` (400). */
export function nameOf(typed: string): string {
  const name = typed.normalize('NFC').trim()
  if (name === '') throw nameMissing()
  if ([...name].length > nameLength || invisible.test(name.replaceAll('\u200d', ''))) throw nameInvalid()
  return name
}
