import { type AppError, invalidInput } from '../../kernel/errors.ts'
import { normalized } from './hashing.ts'

/** In bytes of UTF-8; far above the 64 characters that must be possible (NIST SP 800-63B-4 §3.1.1.2). */
export const maximumBytes = 1_024

/** What others know of a person, and so try first. */
export interface Known {
  readonly email?: string | null
  readonly username?: string | null
  readonly name?: string | null
  readonly givenName?: string | null
  readonly familyName?: string | null
}

/** Throws why a password may not be chosen: `passwords.too_short`, `too_long`, `malformed`, `common`, `personal` (400). */
export type CheckChoice = (password: string, known: Known) => Promise<void>

/** Whether text can be a password at all; nothing longer or with half a character in it is hashed. */
export const isPossible = (password: string): boolean =>
  password !== '' && password.isWellFormed() && Buffer.byteLength(password) <= maximumBytes

const refused = (code: string, message: string, params: Record<string, number> = {}): AppError =>
  invalidInput(`passwords.${code}`, message, { field: 'password', params })

/** No rules of composition, no periodic change: length, and what attackers try first (NIST SP 800-63B-4 §3.1.1.2). */
export function choiceRules(minimumLength: number, productNames: readonly string[]): CheckChoice {
  return async (password, known) => {
    if (Buffer.byteLength(password) > maximumBytes) {
      throw refused('too_long', `A password has at most ${maximumBytes} bytes.`, { maximum: maximumBytes })
    }
    if (!password.isWellFormed()) throw refused('malformed', 'The password contains half a character.')
    if ([...normalized(password)].length < minimumLength) {
      throw refused('too_short', `A password has at least ${minimumLength} characters.`, {
        minimum: minimumLength,
      })
    }
    const forms = formsOf(password)
    const personal = new Set([...termsOf(known), ...productNames.map(folded)])
    if (forms.some((form) => personal.has(form) || personal.has(joined(form)))) {
      throw refused(
        'personal',
        'This password is your name or address, or that of this service. Choose another one.',
      )
    }
    if (forms.some(isPattern) || (await anyCommon(forms))) {
      throw refused('common', 'This password is on lists that attackers try first. Choose another one.')
    }
  }
}

const folded = (text: string): string => normalized(text).toLowerCase()
const joined = (text: string): string => text.replace(/[\s._-]+/g, '')

/** The text itself, and what is left of it without the few digits and signs that people add to a word. */
function formsOf(text: string): readonly string[] {
  const whole = folded(text)
  const word = whole.replace(/^[^\p{L}]{1,4}/u, '').replace(/[^\p{L}]{1,4}$/u, '')
  return word.length >= 4 && word !== whole ? [whole, word] : [whole]
}

function termsOf({ email, username, name, givenName, familyName }: Known): readonly string[] {
  const [local, domain] = (email ?? '').split('@')
  return [email, local, domain, username, name, givenName, familyName].flatMap((term) =>
    term ? formsOf(term).flatMap((form) => [form, joined(form)]) : [],
  )
}

/** One short piece repeated (`abcabcabc`), or characters that follow one another (`abcdefgh`, `87654321`). */
function isPattern(text: string): boolean {
  if (/^(.{1,4})\1+$/u.test(text)) return true
  const points = [...text].map((character) => character.codePointAt(0) ?? 0)
  const step = (points[1] ?? 0) - (points[0] ?? 0)
  return (
    Math.abs(step) === 1 &&
    points.every((point, index) => index === 0 || point - (points[index - 1] ?? 0) === step)
  )
}

let commonPasswords: Promise<ReadonlySet<string>> | undefined

/** Loaded when somebody first chooses a password, as the list takes some 25 MB. */
async function anyCommon(forms: readonly string[]): Promise<boolean> {
  commonPasswords ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common']),
  )
  const common = await commonPasswords
  return forms.some((form) => common.has(form))
}
