import { z } from 'zod'

const maximumEmailLength = 254
const emailSyntax = z.email().max(maximumEmailLength)

/** Letters of any script with their marks, digits, `.`, `_` and `-`; no `@`, so it is never taken for an address. */
const usernameSyntax = /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]{1,63}$/u
const invisible = /\p{Default_Ignorable_Code_Point}|\p{C}/u

/** Scripts with letters that look like another's. Names of one of them are told apart, mixed ones are not (UTS #39 §5). */
const lookAlikeScripts = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Lisu'].map(
  (script) => new RegExp(`\\p{Script=${script}}`, 'u'),
)

/** An identifier as it is shown, and the form under which it is unique. */
export interface Identifier {
  readonly shown: string
  readonly key: string
}

const keyOf = (text: string): string => text.normalize('NFKC').toLowerCase().normalize('NFKC')

/** One address of at most 254 characters (RFC 5321 §4.5.3.1.3), without display name; `undefined` when it is none. */
export function parseEmail(text: string): Identifier | undefined {
  const shown = text.normalize('NFKC').trim()
  return emailSyntax.safeParse(shown).success ? { shown, key: keyOf(shown) } : undefined
}

/** A user name of 2 to 64 characters; `undefined` when it is none or could pass for another. */
export function parseUsername(text: string): Identifier | undefined {
  const shown = text.normalize('NFKC').trim()
  if (!usernameSyntax.test(shown) || invisible.test(shown)) return undefined
  if (lookAlikeScripts.filter((script) => script.test(shown)).length > 1) return undefined
  return { shown, key: keyOf(shown) }
}

/** What somebody typed as his identifier: the key of an address or of a user name; `undefined` when it can be neither. */
export const parseIdentifier = (text: string): string | undefined =>
  (text.includes('@') ? parseEmail(text) : parseUsername(text))?.key

/** The form in which names and keys are searched; characters that no database takes are left out. */
export const searchForm = (text: string): string => keyOf(text.toWellFormed().replace(/\p{Cc}/gu, ' ')).trim()
