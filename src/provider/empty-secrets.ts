import type { Context } from 'koa'
import type { RequestFacts } from '../kernel/http.ts'
import type { Area } from './area.ts'
import type { Payload } from './artefacts/payload.ts'
import { ownPath } from './own-pages.ts'
import { rewriteBodies } from './parsed-bodies.ts'
import type { Ports } from './ports.ts'

/** Where clients say who they are. */
const endpoints = [
  'token',
  'pushed_authorization_request',
  'introspection',
  'revocation',
  'device_authorization',
  'backchannel_authentication',
] as const

/**
 * Clients without a secret that name themselves by HTTP Basic with an empty password, as several libraries do (RFC 6749
 * §2.3.1: a secret that is empty may be left out). The library takes such a client's name in the form alone, so it is put
 * there, and the header away. Of a client that has to prove itself in any way the header stays, and is refused.
 */
export const emptySecrets: Area = {
  extend(provider, { ports }) {
    const paths = new Set(endpoints.map((endpoint) => ownPath(provider, endpoint)))
    const named = new WeakMap<Context, string>()
    provider.use(async (ctx, next) => {
      const clientId = ctx.method === 'POST' && paths.has(ctx.path) ? namedByHeader(ctx) : undefined
      if (clientId !== undefined && (await isPublic(ports, ctx, clientId))) named.set(ctx, clientId)
      await next()
    })
    rewriteBodies(provider, (ctx, body) => withName(ctx, body, named.get(ctx)))
  },
}

async function isPublic({ clients }: Ports, { state }: Context, clientId: string): Promise<boolean> {
  const { address } = (state.facts ?? {}) as Partial<RequestFacts>
  try {
    return (await clients.find(clientId, address))?.authentication === 'none'
  } catch {
    // It goes wrong once more where the library asks, which answers that it is unavailable and lets nobody in.
    return true
  }
}

const basic = /^basic ([a-z0-9+/]+={0,2})$/i

/** Whom a header names that says no password. */
function namedByHeader(ctx: Context): string | undefined {
  const [, encoded] = basic.exec(ctx.get('authorization')) ?? []
  if (encoded === undefined) return undefined
  const [name = '', password, ...more] = Buffer.from(encoded, 'base64').toString().split(':')
  if (password !== '' || more.length > 0) return undefined
  try {
    return decodeURIComponent(name.replaceAll('+', '%20')) || undefined
  } catch {
    return undefined
  }
}

/** Where the form says anything else of who asks, both stay as they are for the library to refuse. */
function withName(ctx: Context, body: unknown, clientId: string | undefined): unknown {
  const form = (body ?? {}) as Payload
  const { client_id: said = clientId, client_secret: secret, client_assertion: assertion } = form
  if (clientId === undefined || said !== clientId || secret || assertion !== undefined) return body
  delete ctx.req.headers.authorization
  return { ...form, client_id: clientId }
}
