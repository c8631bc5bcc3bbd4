import type { Assertion, Registration } from './input.ts'
import type { Passkey } from './passkeys.ts'
import { algorithms, type RelyingParty } from './relying-party.ts'

/** What an authenticator said, its signature verified. */
export interface VerifiedAssertion {
  readonly counter: number
  readonly backedUp: boolean
  readonly multiDevice: boolean
}

export type VerifiedRegistration = Pick<
  Passkey,
  'id' | 'publicKey' | 'counter' | 'aaguid' | 'backedUp' | 'multiDevice' | 'transports'
>

// Loaded when the first passkey is used: it takes some 30 MB that a server without passkeys does not need.
const library = () => import('@simplewebauthn/server')
const decoders = () => import('@simplewebauthn/server/helpers')

/**
 * WebAuthn Level 3 §7.2: the answer to `challenge` for this relying party by this key, with user verification. Throws for
 * anything else. The counter is left to the write that records the use.
 */
export async function verifyAssertion(
  { id, origins }: RelyingParty,
  { response, ...answer }: Assertion,
  { challenge, passkey }: { readonly challenge: string; readonly passkey: Passkey },
): Promise<VerifiedAssertion> {
  const { verifyAuthenticationResponse } = await library()
  refuseEmbedded(response.clientDataJSON)
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: { ...answer, rawId: answer.id, response, clientExtensionResults: {} },
    expectedChallenge: challenge,
    expectedOrigin: [...origins],
    expectedRPID: id,
    requireUserVerification: true,
    credential: { id: passkey.id, publicKey: bytesOf(passkey.publicKey), counter: 0 },
  })
  if (!verified) throw new Error('The signature is not by the key of this passkey.')
  const { newCounter, credentialBackedUp, credentialDeviceType } = authenticationInfo
  return {
    counter: newCounter,
    backedUp: credentialBackedUp,
    multiDevice: credentialDeviceType === 'multiDevice',
  }
}

/** WebAuthn Level 3 §7.1: a new passkey for this relying party that answers `challenge`. Throws for anything else. */
export async function verifyRegistration(
  { id, origins }: RelyingParty,
  { response, ...answer }: Registration,
  challenge: string,
): Promise<VerifiedRegistration> {
  const { verifyRegistrationResponse } = await library()
  const { clientDataJSON, attestationObject, transports } = response
  refuseEmbedded(clientDataJSON)
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: {
      ...answer,
      rawId: answer.id,
      response: { clientDataJSON, attestationObject: await withoutStatement(attestationObject) },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: [...origins],
    expectedRPID: id,
    requireUserVerification: true,
    supportedAlgorithmIDs: [...algorithms],
  })
  if (!verified) throw new Error('The registration does not verify.')
  const { credential, aaguid, credentialBackedUp, credentialDeviceType } = registrationInfo
  if (credential.id !== answer.id) throw new Error('The credential id is not the one that was attested.')
  return {
    id: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    aaguid,
    backedUp: credentialBackedUp,
    multiDevice: credentialDeviceType === 'multiDevice',
    transports,
  }
}

/**
 * Attestation is not asked for, and some authenticators send a statement nevertheless. It is left out unread: checking it
 * proves nothing that counts here, and would fetch lists of revoked certificates from wherever it says.
 */
async function withoutStatement(attestationObject: string): Promise<string> {
  const { decodeAttestationObject, isoCBOR } = await decoders()
  const authData = decodeAttestationObject(bytesOf(attestationObject)).get('authData')
  const bare = new Map<string, string | Uint8Array | Map<string, string>>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', authData],
  ])
  return Buffer.from(isoCBOR.encode(bare)).toString('base64url')
}

/** Our pages are never framed, so no browser of a person sends an answer from within another site's page (§13.4.2). */
function refuseEmbedded(clientDataJSON: string): void {
  const { crossOrigin, topOrigin }: { crossOrigin?: unknown; topOrigin?: unknown } = JSON.parse(
    Buffer.from(clientDataJSON, 'base64url').toString('utf8'),
  )
  if (crossOrigin === true || topOrigin !== undefined) throw new Error('The page was framed by another site.')
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'base64url'))
