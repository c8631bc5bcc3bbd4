import type { Actor, RequestFacts } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Factor, Kept } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import { lastWay, notFound, type Passkey, passkeyFactor } from './passkeys.ts'
import type { RelyingParty } from './relying-party.ts'
import type { PasskeyStore } from './store.ts'

export interface RemovalDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: PasskeyStore
  readonly audit: Audit
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly notices: Pick<Notices, 'credentialsChanged'>
  readonly relyingParty: Pick<RelyingParty, 'id'>
  /** Every way to sign in that there is. */
  readonly factors: () => readonly Factor[]
}

export interface Removal {
  readonly userId: UserId
  readonly id: string
  readonly actor: Actor
  readonly request?: RequestFacts
  readonly keep?: Kept
  /** The language of the page, for the notice. */
  readonly locale?: string
}

/**
 * Removes a passkey, tells its owner and ends what was signed in before. Whoever has no other way to sign in keeps one, even
 * if he removes two at the same time; an administrator, who can give him another way, may remove the last one, too. Throws
 * `passkeys.not_found` (404) and `passkeys.last_way` (409).
 */
export const openRemoval =
  (dependencies: RemovalDependencies) =>
  async (removal: Removal): Promise<Passkey> => {
    const remove = removing(dependencies)
    for (let count = 0; count < tries; count += 1) {
      const removed = await remove(removal)
      if (removed !== undefined) return removed
    }
    throw lastWay()
  }

const tries = 5

/** `undefined` where the other ways to sign in may have changed since they were looked at. */
const removing =
  ({ storage, store, audit, attempts, notices, factors, relyingParty }: RemovalDependencies) =>
  async ({ userId, id, actor, request, keep, locale }: Removal): Promise<Passkey | undefined> => {
    const byHimself = actor.kind === 'user'
    const epoch = await attempts.epochOf(userId)
    const mayBeLast = !byHimself || (await hasOtherWay(factors(), userId))
    return await storage.transaction(async (db) => {
      await store.lock(db, userId)
      const passkeys = await store.list(userId, db)
      const passkey = passkeys.find((each) => each.id === id)
      if (passkey === undefined) throw notFound()
      const stays = passkeys.some((other) => other !== passkey && other.rpId === relyingParty.id)
      if (!stays && !mayBeLast) throw lastWay()
      if (!stays && byHimself && (await attempts.epochOf(userId, db)) !== epoch) return undefined
      await store.remove(db, userId, id)
      const { name } = passkey
      const known = { userId, ...(request && { request }) }
      const event = { ...known, actor, detail: { name } }
      await audit.recordIn(db, { action: 'passkeys.removed', outcome: 'success', ...event })
      const notice = {
        ...known,
        what: 'passkey-removed',
        params: { name },
        ...(keep && { keep }),
        ...(locale && { locale }),
      }
      await notices.credentialsChanged(db, notice)
      return passkey
    })
  }

/** Whether a person can begin to sign in without any passkey. */
async function hasOtherWay(factors: readonly Factor[], userId: UserId): Promise<boolean> {
  const others = factors.filter(({ name, offers }) => name !== passkeyFactor && offers !== 'second')
  return (await Promise.all(others.map((factor) => factor.enrolled(userId)))).includes(true)
}
