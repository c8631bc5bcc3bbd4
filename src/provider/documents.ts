import type { Middleware } from 'koa'

const maxAgeSeconds = 300
const documents = new Set([
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/jwks',
])

interface Document {
  readonly body: Buffer
  readonly type: string
}

/**
 * Discovery and the key set change only when the provider is built anew, so each instance computes them once. They are
 * public: any origin may read them.
 */
export function documentCache(): Middleware {
  const cached = new Map<string, Document>()

  return async (ctx, next) => {
    if (!documents.has(ctx.path) || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return await next()
    ctx.state.routine = true
    let document = cached.get(ctx.path)
    if (document === undefined) {
      await next()
      if (ctx.status !== 200) return
      document = { body: Buffer.from(JSON.stringify(ctx.body)), type: ctx.response.get('Content-Type') }
      cached.set(ctx.path, document)
    }
    ctx.status = 200
    ctx.set('Content-Type', document.type)
    ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`)
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.body = document.body
  }
}
