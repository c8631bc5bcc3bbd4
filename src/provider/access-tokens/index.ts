import type { Context, Middleware } from 'koa'
import type Provider from 'oidc-provider'
import type { AccessToken, ClientCredentials, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { ClaimPlace, DeclaredClaim } from '../../kernel/declared-claims.ts'
import type { Area } from '../area.ts'
import type { OptionInputs } from '../inputs.ts'
import type { Api, Ports, ProviderClient } from '../ports.ts'
import { type ClaimSubject, declaredClaims } from './declared-claims.ts'
import { jwtTokenEndpoints } from './endpoints.ts'
import { grantReferenceClaim, sealReference } from './grant-reference.ts'

/** What tokens hold beside what the library puts there, and JWT access tokens after they were issued. */
export const accessTokens: Area = {
  options: (inputs) => ({
    extraClientMetadata: {
      properties: [
        'access_token_ttl_seconds',
        'id_token_ttl_seconds',
        'refresh_token_idle_seconds',
        'refresh_token_maximum_seconds',
      ],
    },
    extraTokenClaims: (ctx, token) => extraTokenClaims(inputs.ports, ctx, token),
    formats: { customizers: { jwt: grantReference(inputs) } },
  }),

  extend(provider, inputs) {
    declareForIdTokens(provider, inputs.ports)
    provider.use(declareForUserinfo(inputs.ports))
    provider.use(jwtTokenEndpoints(provider, inputs))
  },
}

type Token = AccessToken | ClientCredentials

async function extraTokenClaims(
  ports: Ports,
  ctx: KoaContextWithOIDC,
  token: Token,
): Promise<Record<string, unknown> | undefined> {
  const { aud, clientId = '' } = token
  const api = typeof aud === 'string' ? await ports.apis.find(aud) : undefined
  if (api !== undefined) refuseUnbound(api, token)
  const client = await ports.clients.find(clientId)
  const declared = [...placed(client, 'access_token'), ...(api?.claims ?? [])]
  if (declared.length === 0) return undefined
  const accountId = 'accountId' in token ? token.accountId : undefined
  return { ...(await declaredClaims(ports, declared, subjectOf(ctx, client, accountId))) }
}

/** What an API demands of its tokens holds for every grant, so it is asked where all of them meet. */
function refuseUnbound({ indicator, requiredSenderConstraint: required = 'none' }: Api, token: Token): void {
  const { jkt, 'x5t#S256': thumbprint } = token as { jkt?: string; 'x5t#S256'?: string }
  const bound = {
    none: true,
    dpop: jkt !== undefined,
    mtls: thumbprint !== undefined,
    any: token.isSenderConstrained(),
  }
  if (!bound[required])
    throw new errors.InvalidRequest(`the API ${indicator} takes only access tokens that ${ways[required]}`)
}

const ways = {
  none: '',
  dpop: 'are bound to a key: send a DPoP proof (RFC 9449)',
  mtls: 'are bound to a certificate: use mutual TLS (RFC 8705)',
  any: 'are bound to their sender: send a DPoP proof (RFC 9449) or use mutual TLS (RFC 8705)',
} as const

/** RFC 9068 tokens are stored nowhere, so each says, in a form that only the server reads, with what it ends. */
const grantReference =
  ({ sealing }: OptionInputs): NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt'] =>
  (_ctx, token, { payload }) => {
    const { grantId, accountId, sessionUid, expiresWithSession } = token as AccessToken
    if (payload === undefined || (grantId === undefined && accountId === undefined)) return
    payload[grantReferenceClaim] = sealReference(sealing, token.jti, {
      grantId,
      accountId,
      sessionUid: expiresWithSession === true ? sessionUid : undefined,
    })
  }

const placed = (client: ProviderClient | undefined, place: ClaimPlace): readonly DeclaredClaim[] =>
  client?.extraClaims?.filter((declared) => declared.in.includes(place)) ?? []

function subjectOf(
  { oidc }: KoaContextWithOIDC,
  client: ProviderClient | undefined,
  userId: string | undefined,
): ClaimSubject | undefined {
  if (userId === undefined) return undefined
  if (client?.firstParty === true) return { userId, scopes: 'all' }
  return { userId, scopes: new Set(oidc.entities.Grant?.getOIDCScope().split(' ') ?? []) }
}

/** What the declarations give the client of this request about the person of this request. */
async function declaredHere(ports: Ports, ctx: KoaContextWithOIDC, place: ClaimPlace) {
  const { client: known, entities, session } = ctx.oidc
  const client = known === undefined ? undefined : await ports.clients.find(known.clientId)
  const declared = placed(client, place)
  if (declared.length === 0) return {}
  const userId = entities.Account?.accountId ?? session?.accountId
  return await declaredClaims(ports, declared, subjectOf(ctx, client, userId))
}

interface IssuedIdToken {
  readonly ctx?: KoaContextWithOIDC
  set(name: string, value: unknown): void
}

const places: Readonly<Record<string, ClaimPlace>> = { idtoken: 'id_token', userinfo: 'userinfo' }

/** The library leaves out of an ID token what no scope gives, so what was declared is added as it is issued. */
function declareForIdTokens({ IdToken }: Provider, ports: Ports): void {
  const { issue } = IdToken.prototype
  IdToken.prototype.issue = async function declaring(
    this: IssuedIdToken & InstanceType<typeof IdToken>,
    options,
  ) {
    const place = places[options.use]
    if (place !== undefined && this.ctx !== undefined) {
      for (const [name, value] of Object.entries(await declaredHere(ports, this.ctx, place)))
        this.set(name, value)
    }
    return await issue.call(this, options)
  }
}

/** Plain user information; signed one is a kind of ID token. */
const declareForUserinfo =
  (ports: Ports): Middleware =>
  async (ctx: Context, next) => {
    await next()
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>
    if (oidc?.route !== 'userinfo' || ctx.status !== 200 || typeof ctx.body !== 'object' || ctx.body === null)
      return
    const declared = await declaredHere(ports, ctx as unknown as KoaContextWithOIDC, 'userinfo')
    ctx.body = { ...ctx.body, ...declared }
  }
