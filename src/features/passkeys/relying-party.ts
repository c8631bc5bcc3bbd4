import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { AppError } from '../../kernel/errors.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Passkey } from './passkeys.ts'
import type { settings } from './settings.ts'

/** Who asks for passkeys, and where (WebAuthn Level 3 §4, relying party). */
export interface RelyingParty {
  readonly id: string
  readonly name: string
  /** On which its pages are. */
  readonly origins: readonly string[]
}

/**
 * `undefined` where the issuer's host is an IP address, for which there are no passkeys (§5.1.3). Throws
 * `passkeys.bad_origin` for a related origin that is none.
 */
export function relyingPartyOf(
  issuer: string,
  name: string,
  { rpId, relatedOrigins }: SettingValues<typeof settings>,
): RelyingParty | undefined {
  const { origin, hostname } = new URL(issuer)
  const id = rpId ?? hostname
  if (isIP(id.replace(/^\[|\]$/g, '')) !== 0) return undefined
  const wrong = relatedOrigins.find((related) => URL.parse(related)?.origin !== related)
  if (wrong !== undefined) {
    throw new AppError(
      'passkeys.bad_origin',
      500,
      `The related origin ${wrong} must be written like https://id.example.org, without a path.`,
    )
  }
  return { id, name, origins: [...new Set([origin, ...relatedOrigins])] }
}

export const newChallenge = (): string => randomBytes(32).toString('base64url')

/** How long a browser's own window waits; the challenge lives longer. */
const timeoutMilliseconds = 300_000

/** EdDSA, ES256, RS256 (RFC 9053 §2, RFC 8812 §2). */
export const algorithms: readonly number[] = [-8, -7, -257]

const described = (passkeys: readonly Passkey[]) =>
  passkeys.map(({ id, transports }) => ({ type: 'public-key', id, transports }))

/** `PublicKeyCredentialRequestOptionsJSON` (§5.5). Without passkeys the person chooses among all that he has here. */
export const requestOptions = (
  { id }: RelyingParty,
  challenge: string,
  passkeys: readonly Passkey[],
): string =>
  JSON.stringify({
    challenge,
    rpId: id,
    timeout: timeoutMilliseconds,
    userVerification: 'required',
    allowCredentials: described(passkeys),
  })

export interface NewOwner {
  readonly handle: string
  readonly name: string
  readonly displayName: string
}

/** `PublicKeyCredentialCreationOptionsJSON` (§5.4): a discoverable passkey with user verification, no attestation. */
export const creationOptions = (
  { id, name }: RelyingParty,
  { challenge, owner, passkeys }: { challenge: string; owner: NewOwner; passkeys: readonly Passkey[] },
): string =>
  JSON.stringify({
    challenge,
    rp: { id, name },
    user: { id: owner.handle, name: owner.name, displayName: owner.displayName },
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: timeoutMilliseconds,
    attestation: 'none',
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    excludeCredentials: described(passkeys),
  })
