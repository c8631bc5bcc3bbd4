import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'

/** A WebAuthn credential of a person (WebAuthn Level 3 §4, credential record). */
export interface Passkey {
  /** The credential id, base64url. */
  readonly id: string
  readonly userId: UserId
  readonly name: string
  /** The COSE key, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly transports: readonly string[]
  readonly aaguid: string
  /** The relying party it was made for, and with which alone it works. */
  readonly rpId: string
  readonly backedUp: boolean
  /** Backup eligible: it may be on several devices. Never changes. */
  readonly multiDevice: boolean
  readonly createdAt: Date
  readonly lastUsedAt: Date | undefined
}

/** The passkey of an assertion, with what is known of whose it is. */
export interface OwnedPasskey extends Passkey {
  /** The random user handle that authenticators keep beside it, base64url. */
  readonly handle: string | undefined
  readonly ownerActive: boolean
}

export const passkeyFactor = 'passkey'

/** RFC 8176 §2: the key stays in hardware or is copied between devices; presence and more than one factor were tested. */
export const amrOf = ({ multiDevice }: Pick<Passkey, 'multiDevice'>): readonly string[] => [
  multiDevice ? 'swk' : 'hwk',
  'user',
  'mfa',
]

/** The same for an unknown passkey, one of somebody else, of a disabled user, and whatever does not verify. */
export const refused = (): AppError =>
  new AppError(
    'passkeys.refused',
    401,
    'This passkey was not accepted. Sign in another way, then add it again.',
  )

export const pageTooOld = (): AppError =>
  invalidInput('passkeys.page_too_old', 'This page was open for too long or was used already. Try again.')

export const noAnswer = (): AppError =>
  invalidInput(
    'passkeys.no_answer',
    'No passkey was chosen. A passkey needs a browser with JavaScript turned on.',
  )

export const malformed = (cause?: unknown): AppError =>
  invalidInput('passkeys.malformed', 'What the browser sent is no passkey. Try again.', { cause })

export const notAdded = (cause?: unknown): AppError =>
  invalidInput('passkeys.not_added', 'This passkey could not be added. Try again or use another device.', {
    cause,
  })

export const alreadyAdded = (): AppError =>
  new AppError('passkeys.already_added', 409, 'This passkey was added before.')

export const tooMany = (limit: number): AppError =>
  new AppError('passkeys.too_many', 409, `An account can have at most ${limit} passkeys. Remove one first.`, {
    params: { limit },
  })

export const badName = (): AppError =>
  invalidInput('passkeys.bad_name', 'A name has 1 to 64 characters.', { field: 'name' })

export const notFound = (): AppError =>
  new AppError('passkeys.not_found', 404, 'There is no such passkey. It may have been removed already.')

export const lastWay = (): AppError =>
  new AppError(
    'passkeys.last_way',
    409,
    'This is the only way to sign in to this account. Add another one first.',
  )
