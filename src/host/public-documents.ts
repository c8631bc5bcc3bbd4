import type { Middleware } from 'koa'
import type { Feature } from '../features/feature.ts'

const maxAgeSeconds = 3_600

/** Answers with the documents that features publish. Anybody may read them, from any page. */
export function publicDocuments(features: readonly Pick<Feature, 'documents'>[]): Middleware {
  const bodies = new Map(
    features.flatMap(({ documents = [] }) => documents.map(({ path, body }) => [path, body] as const)),
  )
  return (ctx, next) => {
    const body = bodies.get(ctx.path)
    if (body === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
    ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`)
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.type = 'application/json'
    ctx.body = body
    return undefined
  }
}
