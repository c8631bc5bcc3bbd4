import { createPublicKey } from 'node:crypto'
import {
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  errors as joseErrors,
  jwtVerify,
} from 'jose'
import type Provider from 'oidc-provider'
import type { InstanceInputs } from '../inputs.ts'
import { isLive, openOrigin } from '../token-exchange/origin.ts'
import { type GrantReference, grantReferenceClaim, openReference } from './grant-reference.ts'

/** A JWT access token of ours (RFC 9068) that is still worth something. */
export interface JwtAccessToken {
  readonly payload: JWTPayload & { readonly jti: string; readonly exp: number; readonly client_id: string }
  readonly clientId: string
  /** The person that it is about; `undefined` where the client acts for itself. */
  readonly accountId: string | undefined
  readonly grantId: string | undefined
  readonly aud: string | undefined
}

export interface JwtAccessTokens {
  /** `undefined` for anything but a token of ours that has neither expired nor been ended. */
  find(value: string): Promise<JwtAccessToken | undefined>
  /** Ends the token, and the grant of which it came with everything else that did. */
  revoke(token: JwtAccessToken): Promise<void>
}

/** A model of our own, so that no identifier of the library's can meet one. */
const revokedModel = 'RevokedAccessToken'
const longestToken = 50_000
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

/** JWT access tokens after they were issued, of which nothing is stored unless one is revoked. */
export function openJwtAccessTokens(
  provider: Provider,
  inputs: Pick<InstanceInputs, 'issuer' | 'ports' | 'artefacts' | 'sealing' | 'clock'>,
): JwtAccessTokens {
  const { artefacts, sealing, clock } = inputs
  const verify = verifying(inputs)

  async function stands(token: JwtAccessToken, reference: GrantReference | undefined): Promise<boolean> {
    if (await endedWithItsClient(inputs, token)) return false
    if (reference === undefined) return token.payload.sub === token.clientId
    // An exchanged one ends with what it came of, which is another client's.
    const origin = openOrigin(sealing, token.payload)
    if (origin !== undefined) return await isLive(provider, origin, token.accountId ?? '')
    const { grantId, sessionUid } = reference
    if (grantId !== undefined && token.accountId === undefined) return false
    if (sessionUid === undefined) return true
    const session = await provider.Session.findByUid(sessionUid)
    return (
      session !== undefined &&
      session.accountId === token.accountId &&
      session.grantIdFor(token.clientId) === grantId
    )
  }

  return {
    async find(value) {
      const payload = await verify(value)
      if (payload === undefined) return undefined
      const reference = openReference(sealing, payload.jti, payload[grantReferenceClaim])
      const { client_id: clientId, aud } = payload
      const grant =
        reference?.grantId === undefined ? undefined : await provider.Grant.find(reference.grantId)
      const accountId = grant?.clientId === clientId ? grant.accountId : reference?.accountId
      const token = {
        payload,
        clientId,
        accountId,
        grantId: reference?.grantId,
        aud: typeof aud === 'string' ? aud : undefined,
      }
      if ((await artefacts.find(revokedModel, payload.jti)) !== undefined) return undefined
      return (await stands(token, reference)) ? token : undefined
    },

    async revoke({ payload: { jti, exp }, grantId }) {
      const leftSeconds = exp - Math.floor(clock.now().getTime() / 1000)
      await artefacts.insertOnce(revokedModel, jti, Math.max(1, leftSeconds))
      if (grantId !== undefined) await artefacts.endGrant(grantId)
    },
  }
}

/** Signed by a key of ours as an access token, by us, and not expired; with what every token of ours has. */
function verifying({ issuer, ports, clock }: Pick<InstanceInputs, 'issuer' | 'ports' | 'clock'>) {
  let keySet: Promise<ReturnType<typeof createLocalJWKSet>> | undefined
  const keys = () => {
    // Read again where reading fails; a change of keys comes with a new instance of everything here.
    keySet ??= publicKeys(ports).catch((error) => {
      keySet = undefined
      throw error
    })
    return keySet
  }

  return async (value: string): Promise<JwtAccessToken['payload'] | undefined> => {
    if (value.length > longestToken) return undefined
    try {
      const { payload } = await jwtVerify(value, await keys(), {
        issuer,
        typ: 'at+jwt',
        algorithms,
        currentDate: clock.now(),
        requiredClaims: ['sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
      })
      const { jti, exp, client_id: clientId } = payload
      return typeof jti === 'string' && typeof exp === 'number' && typeof clientId === 'string'
        ? { ...payload, jti, exp, client_id: clientId }
        : undefined
    } catch (error) {
      if (error instanceof joseErrors.JOSEError || error instanceof TypeError) return undefined
      throw error
    }
  }
}

async function publicKeys({ keys }: Pick<InstanceInputs['ports'], 'keys'>) {
  const { jwks } = await keys.snapshot()
  const published = jwks
    .filter(({ use }) => use !== 'enc')
    .map(({ kid, alg, use, ...key }) => {
      const publicKey = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).export({ format: 'jwk' })
      return { ...publicKey, ...(kid && { kid }), ...(alg && { alg }), ...(use && { use }) } as JWK
    })
  return createLocalJWKSet({ keys: published } satisfies JSONWebKeySet)
}

/** The client is gone or disabled, or has lost a right since: what it was given before has ended, whatever it is now. */
async function endedWithItsClient(
  { ports, artefacts }: Pick<InstanceInputs, 'ports' | 'artefacts'>,
  { clientId, payload: { iat = 0 } }: JwtAccessToken,
): Promise<boolean> {
  if ((await ports.clients.find(clientId)) === undefined) return true
  const endedAt = await artefacts.clientEndedAt(clientId)
  return endedAt !== undefined && iat * 1000 <= endedAt.getTime()
}
