import { AsyncLocalStorage } from 'node:async_hooks'
import { errors, type Grant, type Provider } from 'oidc-provider'
import type { RememberedConsent } from '../ports.ts'
import { extend } from './contents.ts'

/** Set while a grant is written that was read before. */
const rewriting = new AsyncLocalStorage<true>()

export const isRewriting = (): boolean => rewriting.getStore() === true

/** Somebody has ended the grant since it was read. */
export class GrantGone extends errors.InvalidGrant {
  constructor() {
    super('the grant has ended')
  }
}

/**
 * The library writes a grant without asking whether it is there still, and so would bring back one that was ended since it
 * was read, and with it every token that names it. One that was read is only ever changed.
 */
export function neverRevive({ Grant }: Provider): void {
  const known = new WeakSet<Grant>()
  const find = Grant.find.bind(Grant)
  const { save } = Grant.prototype
  Grant.find = (async (...args: Parameters<typeof find>) => {
    const grant = (await find(...args)) as Grant | undefined
    if (grant !== undefined) known.add(grant)
    return grant
  }) as typeof Grant.find
  Grant.prototype.save = async function write(this: Grant, ...args) {
    const id = known.has(this)
      ? await rewriting.run(true, () => save.apply(this, args))
      : await save.apply(this, args)
    known.add(this)
    return id
  }
}

/** Adds to a grant what was allowed, or makes one of it where there is none, or none any more. */
export async function grantOf(
  provider: Provider,
  owner: { readonly accountId: string; readonly clientId: string },
  { existing, allowed }: { readonly existing: Grant | undefined; readonly allowed: RememberedConsent },
): Promise<Grant> {
  if (existing !== undefined) {
    extend(existing, allowed)
    try {
      await existing.save()
      return existing
    } catch (error) {
      if (!(error instanceof GrantGone)) throw error
    }
  }
  const grant = new provider.Grant(owner)
  extend(grant, allowed)
  await grant.save()
  return grant
}
