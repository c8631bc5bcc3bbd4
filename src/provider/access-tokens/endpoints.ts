import type { Context, Middleware } from 'koa'
import type Provider from 'oidc-provider'
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import type { InstanceInputs } from '../inputs.ts'
import { mayIntrospect } from '../resource-servers.ts'
import { originClaim } from '../token-exchange/origin.ts'
import { grantReferenceClaim } from './grant-reference.ts'
import { type JwtAccessToken, type JwtAccessTokens, openJwtAccessTokens } from './jwt.ts'

const signedIntrospection = 'application/token-introspection+jwt'

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of JWT access tokens. The library authenticates the client, checks
 * the request and then says that it does not do JWTs; that one answer is replaced. It stays for encrypted ones, which
 * only their API can open.
 */
export function jwtTokenEndpoints(provider: Provider, inputs: InstanceInputs): Middleware {
  const tokens = openJwtAccessTokens(provider, inputs)

  return async (ctx: Context, next) => {
    await next()
    const asked = refusedAsStructured(ctx)
    if (asked === undefined) return
    if (asked.route === 'introspection') await introspect(asked, { provider, inputs, tokens })
    else await revoke(asked, { provider, tokens })
  }
}

interface Asked {
  readonly ctx: KoaContextWithOIDC
  readonly route: 'introspection' | 'revocation'
  readonly client: Client
  readonly token: string
}

function refusedAsStructured(ctx: Context): Asked | undefined {
  const { error } = (ctx.status === 400 ? (ctx.body ?? {}) : {}) as { error?: unknown }
  if (error !== 'unsupported_token_type') return undefined
  const { oidc } = ctx as unknown as KoaContextWithOIDC
  const { route, client } = oidc
  const token = oidc.params?.token
  if (client === undefined || typeof token !== 'string' || token.split('.').length !== 3) return undefined
  if (route !== 'introspection' && route !== 'revocation') return undefined
  return { ctx: ctx as unknown as KoaContextWithOIDC, route, client, token }
}

interface Tools {
  readonly provider: Provider
  readonly tokens: JwtAccessTokens
}

async function introspect(
  { ctx, client, token }: Asked,
  { provider, inputs, tokens }: Tools & { readonly inputs: InstanceInputs },
): Promise<void> {
  const { introspectionEncryptedResponseAlg: encrypted, introspectionSignedResponseAlg: signed } = client as {
    introspectionEncryptedResponseAlg?: string
    introspectionSignedResponseAlg?: string
  }
  const accepts = ctx.accepts('json', signedIntrospection)
  if (encrypted !== undefined && accepts !== signedIntrospection) {
    const error_description = `introspection must be requested with Accept: ${signedIntrospection} for this client`
    ctx.body = { error: 'invalid_request', error_description }
    return
  }
  const found = await tokens.find(token)
  const allowed = found !== undefined && (await mayIntrospect(inputs.ports, client, found))
  const answer = allowed ? described(found) : { active: false }
  ctx.status = 200
  if ((encrypted ?? signed) === undefined || accepts !== signedIntrospection) {
    ctx.body = answer
    return
  }
  const response = new provider.IdToken({}, { ctx })
  Object.assign(response, { extra: { token_introspection: answer, aud: allowed ? found.aud : undefined } })
  ctx.body = await response.issue({ use: 'introspection' })
  ctx.type = `${signedIntrospection}; charset=utf-8`
}

/** Everything that the token itself says, as whoever has it could read it there. */
function described({ payload }: JwtAccessToken): Readonly<Record<string, unknown>> {
  const { [grantReferenceClaim]: _grant, [originClaim]: _origin, ...said } = payload
  const { jkt } = (payload.cnf ?? {}) as { jkt?: string }
  return { ...said, active: true, token_type: jkt === undefined ? 'Bearer' : 'DPoP' }
}

/** RFC 7009 §2.2: whatever was revoked or was none, the answer is the same. */
async function revoke({ ctx, client, token }: Asked, { provider, tokens }: Tools): Promise<void> {
  const found = await tokens.find(token)
  if (found !== undefined && found.clientId === client.clientId) {
    await tokens.revoke(found)
    if (found.grantId !== undefined) provider.emit('grant.revoked', ctx, found.grantId)
  }
  ctx.status = 200
  ctx.body = ''
}
