import { invalidInput } from '../../kernel/errors.ts'
import { displayText } from '../../kernel/fields.ts'
import { parseEmail, parseUsername } from './identifiers.ts'
import type { StoredDetails } from './store.ts'
import { emailInvalid, identifierMissing, type User, type UserDetails, usernameInvalid } from './users.ts'

export const maximumNameLength = 200
const nameText = displayText(maximumNameLength)
const nobody: StoredDetails = {
  email: null,
  emailKey: null,
  emailVerified: false,
  username: null,
  usernameKey: null,
  name: null,
  givenName: null,
  familyName: null,
  locale: null,
  zoneinfo: null,
}

/** `details` over what is stored, in canonical form. Throws where the outcome is no valid user. */
export function merged(current: User | undefined, details: UserDetails): StoredDetails {
  const given = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
  const next = { ...nobody, ...picked(current), ...given } as StoredDetails
  const email = next.email ? (parseEmail(next.email) ?? refuse(emailInvalid())) : undefined
  const username = next.username ? (parseUsername(next.username) ?? refuse(usernameInvalid())) : undefined
  if (email === undefined && username === undefined) throw identifierMissing()
  const sameEmail = email !== undefined && email.key === (current?.email && parseEmail(current.email)?.key)
  return {
    ...next,
    ...names(next),
    email: email?.shown ?? null,
    emailKey: email?.key ?? null,
    // An address that changes is not the one that was verified.
    emailVerified: email !== undefined && (details.emailVerified ?? (sameEmail && next.emailVerified)),
    username: username?.shown ?? null,
    usernameKey: username?.key ?? null,
    locale: next.locale || null,
    zoneinfo: next.zoneinfo || null,
  }
}

const picked = (user: User | undefined): Partial<StoredDetails> => {
  if (user === undefined) return {}
  const { email, emailVerified, username, name, givenName, familyName, locale, zoneinfo } = user
  return { email, emailVerified, username, name, givenName, familyName, locale, zoneinfo }
}

const names = ({ name, givenName, familyName }: StoredDetails) => ({
  name: plain(name),
  givenName: plain(givenName),
  familyName: plain(familyName),
})

function plain(text: string | null): string | null {
  if (text === null || text.trim() === '') return null
  const parsed = nameText.safeParse(text)
  if (parsed.success) return parsed.data
  throw invalidInput(
    'users.name_invalid',
    `A name is one line of at most ${maximumNameLength} printable characters.`,
    { field: 'name', params: { maximum: maximumNameLength } },
  )
}

function refuse(error: Error): never {
  throw error
}
