import type Provider from 'oidc-provider'
import type { Client } from 'oidc-provider'
import { grantReferenceClaim, openReference } from '../access-tokens/grant-reference.ts'
import type { JwtAccessTokens } from '../access-tokens/jwt.ts'
import type { Payload } from '../artefacts/payload.ts'
import { AssertionRefused, type Verifier } from '../assertions/verify.ts'
import type { InstanceInputs } from '../inputs.ts'
import type { IdTokens } from './id-tokens.ts'
import { type Exchanged, isLive, openOrigin } from './origin.ts'
import { type Brought, tokenTypes } from './request.ts'

/** A token that is not taken. The message tells the operator why; the client is told the same of all. */
export class TokenRefused extends Error {}

/** What a token that somebody brings says and allows. */
export interface Bearer {
  /** The person that it is about; `undefined` where a client acts for itself. */
  readonly accountId: string | undefined
  /** The client that it was given to; `undefined` of a trusted issuer's token. */
  readonly clientId: string | undefined
  /** The trusted issuer whose token it is. */
  readonly issuer?: string | undefined
  /** The scopes that it is limited to, at an API; `undefined` where it says nothing of scopes. */
  scopesAt(indicator: string): Promise<ReadonlySet<string> | undefined>
  readonly audience: string | undefined
  /** Seconds since 1970. */
  readonly expiresAt: number
  readonly grantId?: string | undefined
  readonly sessionUid?: string | undefined
  readonly hops: number
  readonly act?: Readonly<Payload> | undefined
  readonly mayAct?: Readonly<Payload> | undefined
  readonly jkt?: string | undefined
  readonly certificate?: string | undefined
}

export interface BearerDependencies {
  readonly provider: Provider
  readonly inputs: Pick<InstanceInputs, 'sealing' | 'ports'>
  readonly jwtTokens: JwtAccessTokens
  readonly idTokens: IdTokens
  readonly verifier: Verifier
}

/** What a token says, once it is shown to be true. Throws `TokenRefused`. */
export async function readBearer(
  { token, type }: Brought,
  client: Client,
  dependencies: BearerDependencies,
): Promise<Bearer> {
  if (type === tokenTypes.id) return await readIdToken(token, client, dependencies)
  if (token.split('.').length !== 3) {
    if (type === tokenTypes.jwt) throw new TokenRefused('it is no JWT')
    return await readOpaque(token, dependencies)
  }
  const own = await readJwt(token, dependencies)
  if (own !== undefined) return own
  if (type === tokenTypes.access) throw new TokenRefused('it is no live access token of this server')
  return await readForeign(token, dependencies)
}

const objectOf = (value: unknown): Readonly<Payload> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Payload) : undefined
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const limitedTo = (scopes: ReadonlySet<string>) => async (): Promise<ReadonlySet<string>> => scopes

async function readOpaque(value: string, { provider }: BearerDependencies): Promise<Bearer> {
  const token = (await provider.AccessToken.find(value)) as Exchanged | undefined
  const found = token ?? (await provider.ClientCredentials.find(value))
  if (found === undefined || !found.isValid || found.exp === undefined)
    throw new TokenRefused('it is no live access token of this server')
  const { grantId, sessionUid, expiresWithSession, origin } = token ?? ({} as Partial<Exchanged>)
  const own = { grantId, sessionUid: expiresWithSession === true ? sessionUid : undefined, hops: 0 }
  // Of an exchanged one this was asked as it was read, and of all whether their session lives.
  if (token !== undefined && origin === undefined && !(await isLive(provider, { grantId }, token.accountId)))
    throw new TokenRefused('what it came of has ended')
  const from = origin ?? own
  return {
    accountId: token?.accountId,
    clientId: found.clientId,
    scopesAt: limitedTo(found.scopes),
    audience: textOf(found.aud),
    expiresAt: found.exp,
    grantId: from.grantId,
    sessionUid: from.sessionUid,
    hops: from.hops,
    act: objectOf(found.extra?.act),
    mayAct: objectOf(found.extra?.may_act),
    jkt: found.jkt,
    certificate: found['x5t#S256'],
  }
}

/** `undefined` where it is no JWT access token of ours; of those that ended, too. */
async function readJwt(
  value: string,
  { jwtTokens, inputs: { sealing } }: BearerDependencies,
): Promise<Bearer | undefined> {
  const token = await jwtTokens.find(value)
  if (token === undefined) return undefined
  const { payload, accountId, clientId, grantId } = token
  const reference = openReference(sealing, payload.jti, payload[grantReferenceClaim])
  const from = openOrigin(sealing, payload) ?? { grantId, sessionUid: reference?.sessionUid, hops: 0 }
  const confirmation = objectOf(payload.cnf)
  return {
    accountId,
    clientId,
    scopesAt: limitedTo(new Set(textOf(payload.scope)?.split(' ') ?? [])),
    audience: token.aud,
    expiresAt: payload.exp,
    grantId: from.grantId,
    sessionUid: from.sessionUid,
    hops: from.hops,
    act: objectOf(payload.act),
    mayAct: objectOf(payload.may_act),
    jkt: textOf(confirmation?.jkt),
    certificate: textOf(confirmation?.['x5t#S256']),
  }
}

/** An ID token allows nothing by itself: what counts is what the person has allowed the client in that session. */
async function readIdToken(
  value: string,
  { clientId }: Client,
  { provider, idTokens }: BearerDependencies,
): Promise<Bearer> {
  const found = await idTokens.find(value, clientId)
  if (found === undefined)
    throw new TokenRefused('it is no ID token that this client has got in a live session')
  const { accountId, grantId, sessionUid, expiresAt, claims } = found
  if (!(await isLive(provider, { grantId }, accountId))) throw new TokenRefused('what it came of has ended')
  return {
    accountId,
    clientId,
    async scopesAt(indicator) {
      const grant = await provider.Grant.find(grantId)
      return new Set(grant?.getResourceScope(indicator).split(' ') ?? [])
    },
    audience: undefined,
    expiresAt,
    grantId,
    sessionUid,
    hops: 0,
    mayAct: objectOf(claims.may_act),
  }
}

/** Of a trusted issuer, about a person whom the operator has mapped there by name. */
async function readForeign(value: string, { verifier }: BearerDependencies): Promise<Bearer> {
  try {
    const assertion = await verifier.verify(value)
    const { issuer, claims } = assertion
    const person = issuer.people.find(({ subject }) => subject === claims.sub)
    if (person === undefined) throw new TokenRefused('its subject is mapped to no person')
    // Whom another server calls an actor is nobody here, and in a token of ours he would look like one.
    if (claims.act !== undefined) throw new TokenRefused('it tells of an actor of another server')
    await verifier.use(assertion)
    return {
      accountId: person.userId,
      clientId: undefined,
      issuer: issuer.issuer,
      scopesAt: async () => undefined,
      audience: undefined,
      expiresAt: claims.exp,
      hops: 0,
      mayAct: objectOf(claims.may_act),
    }
  } catch (error) {
    if (error instanceof AssertionRefused) throw new TokenRefused(error.message)
    throw error
  }
}
