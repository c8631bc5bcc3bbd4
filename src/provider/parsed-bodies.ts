import type { Context } from 'koa'
import type Provider from 'oidc-provider'

/**
 * Changes what requests have said in their bodies. The library puts each parsed one into its context of the request, before
 * anything reads it. Of several changes the last one made here comes first.
 */
export function rewriteBodies(
  { OIDCContext: { prototype } }: Provider,
  rewrite: (ctx: Context, body: unknown) => unknown,
): void {
  const inner = Object.getOwnPropertyDescriptor(prototype, 'body')
  const bodies = new WeakMap<object, unknown>()
  Object.defineProperty(prototype, 'body', {
    configurable: true,
    get(this: object) {
      return inner?.get === undefined ? bodies.get(this) : inner.get.call(this)
    },
    set(this: { readonly ctx: Context }, body: unknown) {
      const rewritten = rewrite(this.ctx, body)
      if (inner?.set === undefined) bodies.set(this, rewritten)
      else inner.set.call(this, rewritten)
    },
  })
}
