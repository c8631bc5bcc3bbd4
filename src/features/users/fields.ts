import { z } from 'zod'
import { displayText, instant } from '../../kernel/fields.ts'
import type { Field } from '../../kernel/resource.ts'
import { maximumNameLength } from './details.ts'
import { parseEmail, parseUsername } from './identifiers.ts'
import { emailInvalid, usernameInvalid } from './users.ts'

/** `null`, or an empty text, clears the field. */
const clearable = (schema: z.ZodType<string>) =>
  z.union([z.literal('').transform(() => null), z.null(), schema]).optional()

const name = displayText(maximumNameLength)

const isTimeZone = (text: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const isLocale = (text: string): boolean => {
  try {
    return Intl.getCanonicalLocales(text).length === 1
  } catch {
    return false
  }
}

const own = (documentation: string, schema: z.ZodType<string>, column = false): Field => ({
  schema: clearable(schema),
  documentation,
  writable: 'always',
  optional: true,
  column,
})

const shownOnly = (documentation: string, schema: z.ZodType, column = false): Field => ({
  schema,
  documentation,
  writable: 'never',
  column,
})

export const userFields = {
  id: shownOnly('Identifier, the `sub` of tokens. It never changes.', z.string(), true),
  email: own(
    'E-mail address, to sign in with. Unique whatever its case.',
    z
      .string()
      .max(320)
      .refine((text) => parseEmail(text) !== undefined, emailInvalid().message),
    true,
  ),
  emailVerified: {
    schema: z.boolean().optional(),
    documentation:
      'Whether the address is known to be the person’s. A new address is not, unless said so with it.',
    writable: 'always',
    optional: true,
  },
  username: own(
    'User name, to sign in with instead. Unique whatever its case.',
    z
      .string()
      .max(256)
      .refine((text) => parseUsername(text) !== undefined, usernameInvalid().message),
    true,
  ),
  name: own('Full name, as the person writes it.', name, true),
  givenName: own('Given name.', name),
  familyName: own('Family name.', name),
  locale: own(
    'Language and region, such as de-AT (BCP 47).',
    z.string().max(35).refine(isLocale, 'must be a BCP 47 tag'),
  ),
  zoneinfo: own(
    'Time zone, such as Europe/Vienna (IANA).',
    z.string().max(64).refine(isTimeZone, 'must be an IANA time zone'),
  ),
  administrator: shownOnly('Whether the person may administrate Latchkey.', z.boolean(), true),
  disabled: shownOnly('Whether signing in and everything issued is stopped.', z.boolean(), true),
  createdAt: shownOnly('When the user was created.', instant),
  updatedAt: shownOnly('When the user was last changed.', instant),
} satisfies Readonly<Record<string, Field>>
