import type Provider from 'oidc-provider'
import type { AccessToken } from 'oidc-provider'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Payload } from '../artefacts/payload.ts'

/** The claim of an exchanged JWT access token that tells the server, and nobody else, of what it came. */
export const originClaim = 'exchange_ref'

/** Of what an exchanged token came. Its grant is that of another client, so the library must not take it for the token's own. */
export interface Origin {
  /** Of the token that was exchanged first; the exchanged one ends with it. */
  readonly grantId?: string | undefined
  /** Of a first token that ends with its session. */
  readonly sessionUid?: string | undefined
  /** How often it was exchanged. */
  readonly hops: number
  readonly act?: Readonly<Payload> | undefined
  readonly mayAct?: Readonly<Payload> | undefined
}

/** An access token as it is kept: an exchanged one has an origin. */
export type Exchanged = AccessToken & { readonly origin?: Origin | undefined }

type Liveness = Pick<Origin, 'grantId' | 'sessionUid'>

/** Whether the person, through the client that he signed in to, still stands behind what was exchanged. */
export async function isLive(
  provider: Provider,
  { grantId, sessionUid }: Liveness,
  accountId: string,
): Promise<boolean> {
  if (grantId === undefined) return true
  const grant = await provider.Grant.find(grantId)
  if (grant === undefined || grant.accountId !== accountId || grant.clientId === undefined) return false
  if ((await provider.Client.find(grant.clientId)) === undefined) return false
  if (sessionUid === undefined) return true
  const session = await provider.Session.findByUid(sessionUid)
  return session?.accountId === accountId && session.grantIdFor(grant.clientId) === grantId
}

const place = (jti: string): string => `access_token:${jti}:${originClaim}`

/** Sealed for this one token. What else there is to an origin stands in the token for all to read. */
export const sealOrigin = (sealing: Sealing, jti: string, origin: Origin): string =>
  sealing.seal([origin.grantId ?? '', origin.sessionUid ?? '', origin.hops].join(' '), place(jti))

/** The origin of an exchanged JWT, `undefined` of any other. One that does not open came of nothing that lives. */
export function openOrigin(
  sealing: Sealing,
  {
    jti = '',
    [originClaim]: sealed,
  }: { readonly jti?: string | undefined; readonly [claim: string]: unknown },
): Origin | undefined {
  if (sealed === undefined) return undefined
  try {
    const [grantId = '', sessionUid = '', hops] = sealing.open(String(sealed), place(jti)).split(' ')
    return { grantId: grantId || undefined, sessionUid: sessionUid || undefined, hops: Number(hops) }
  } catch {
    return { grantId: 'unreadable', hops: Number.POSITIVE_INFINITY }
  }
}

/**
 * Makes exchanged tokens that are stored end with what they came of. They are stored under the grant of the first token,
 * and so are removed with it; that its session, client and grant still stand is asked whenever one is used.
 */
export function keepOrigins(provider: Provider): void {
  const { AccessToken } = provider
  const stored = [...AccessToken.IN_PAYLOAD, 'origin']
  Object.defineProperty(AccessToken, 'IN_PAYLOAD', { configurable: true, get: () => stored })
  const find = AccessToken.find.bind(AccessToken) as (
    id: string,
    options?: object,
  ) => Promise<Exchanged | undefined>
  const findLive = async (id: string, options?: object): Promise<Exchanged | undefined> => {
    const token = await find(id, options)
    if (token?.origin === undefined) return token
    return (await isLive(provider, token.origin, token.accountId)) ? token : undefined
  }
  AccessToken.find = findLive as typeof AccessToken.find
}
