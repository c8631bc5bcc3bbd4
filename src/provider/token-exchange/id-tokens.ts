import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, type JWK, type JWTPayload, errors as jose, jwtVerify } from 'jose'
import type Provider from 'oidc-provider'
import type { InstanceInputs } from '../inputs.ts'

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']
const acceptedTypes = new Set([undefined, 'jwt'])

/** An ID token of ours in whose session the person is still signed in to the client. */
export interface LiveIdToken {
  readonly accountId: string
  readonly grantId: string
  readonly sessionUid: string
  /** Seconds since 1970. */
  readonly expiresAt: number
  readonly claims: JWTPayload
}

export interface IdTokens {
  /** `undefined` for anything but an ID token for this client alone that has neither expired nor outlived its session. */
  find(value: string, clientId: string): Promise<LiveIdToken | undefined>
}

type Inputs = Pick<InstanceInputs, 'issuer' | 'clock' | 'ports' | 'artefacts'>

export function openIdTokens(provider: Provider, inputs: Inputs): IdTokens {
  let keySet: Promise<ReturnType<typeof createLocalJWKSet>> | undefined
  const keys = () => {
    // A change of keys comes with a new instance of everything here.
    keySet ??= publicKeys(inputs).catch((error) => {
      keySet = undefined
      throw error
    })
    return keySet
  }
  return {
    async find(value, clientId) {
      const claims = await verify(value, clientId, { ...inputs, keys: await keys() })
      const { sub, sid, exp } = claims ?? {}
      if (claims === undefined || sub === undefined || exp === undefined || typeof sid !== 'string')
        return undefined
      for (const { uid } of await inputs.artefacts.sessionsOfUser(sub)) {
        const session = await provider.Session.findByUid(uid)
        const grantId = session?.grantIdFor(clientId)
        if (grantId !== undefined && session?.authorizationFor(clientId)?.sid === sid)
          return { accountId: sub, grantId, sessionUid: uid, expiresAt: exp, claims }
      }
      return undefined
    },
  }
}

async function verify(
  value: string,
  clientId: string,
  { issuer, clock, keys }: Inputs & { readonly keys: ReturnType<typeof createLocalJWKSet> },
): Promise<JWTPayload | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(value, keys, {
      issuer,
      audience: clientId,
      algorithms,
      currentDate: clock.now(),
      requiredClaims: ['sub', 'iat', 'exp', 'sid'],
    })
    // A logout token is for the same client; what it has and an ID token has not are its type and its events.
    const isIdToken = acceptedTypes.has(protectedHeader.typ?.toLowerCase()) && payload.events === undefined
    return isIdToken && typeof payload.aud === 'string' ? payload : undefined
  } catch (error) {
    if (error instanceof jose.JOSEError || error instanceof TypeError) return undefined
    throw error
  }
}

async function publicKeys({ ports }: Inputs) {
  const { jwks } = await ports.keys.snapshot()
  const keys = jwks
    .filter(({ use }) => use !== 'enc')
    .map(({ kid, alg, ...key }) => {
      const publicKey = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).export({ format: 'jwk' })
      return { ...publicKey, ...(kid && { kid }), ...(alg && { alg }) } as JWK
    })
  return createLocalJWKSet({ keys })
}
