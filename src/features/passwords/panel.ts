import { z } from 'zod'
import type { ActOutcome, Panel, Visit } from '../feature.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { neverVerified } from './factor.ts'
import type { Hashing } from './hashing.ts'
import { changedMeanwhile, malformedInput, type Passwords, presentWrong } from './passwords.ts'
import { isPossible } from './policy.ts'
import { openRemoval, type RemovalDependencies } from './removal.ts'

export interface PanelDependencies extends RemovalDependencies {
  readonly users: Users
  readonly throttle: Throttle
  readonly hashing: Hashing
  readonly settings: { readonly minimumLength: number }
}

const formSchema = z.object({ present: z.string().optional(), password: z.string() })

/** On the page about security: the password of a person who is signed in. */
export function passwordPanel(dependencies: PanelDependencies, prepare: Passwords['prepare']): Panel {
  const { store, users, settings, otherWays } = dependencies
  const change = changing(dependencies, prepare)
  const remove = openRemoval(dependencies)
  return {
    name: 'password',
    page: 'security',
    order: 10,
    show: async ({ userId }) => {
      const changedAt = await store.findChange(userId)
      const removable = changedAt !== undefined && otherWays.exist()
      return { template: 'passwords/panel', model: { removable, ...(changedAt && { changedAt }) } }
    },
    pages: {
      change: {
        fresh: true,
        title: 'password.change-title',
        async show({ userId }) {
          const { email, username } = await users.get(userId)
          const { minimumLength } = settings
          const has = (await store.findChange(userId)) !== undefined
          return {
            template: 'passwords/change',
            model: { has, minimumLength, login: email ?? username ?? '' },
          }
        },
      },
      remove: {
        fresh: true,
        title: 'password.remove-title',
        async show({ userId }) {
          const has = (await store.findChange(userId)) !== undefined
          return { template: 'passwords/remove', model: { has, may: await otherWays.suffice(userId) } }
        },
      },
    },
    acts: {
      change: { fresh: true, page: 'change', run: change },
      remove: {
        fresh: true,
        page: 'remove',
        async run(visit) {
          await remove(visit)
          return { to: '/account/security', notice: { key: 'password.removed' } }
        },
      },
    },
  }
}

/** With a fresh proof of who he is and the present password, where there is one (ASVS 6.2.3). */
const changing =
  (dependencies: PanelDependencies, prepare: Passwords['prepare']) =>
  async (visit: Visit, form: Readonly<Record<string, string>>): Promise<ActOutcome> => {
    const { storage, store, clock, audit, users, notices } = dependencies
    const { userId, request, holder } = visit
    const parsed = formSchema.safeParse(form)
    if (!parsed.success) throw malformedInput(parsed.error)
    const before = await store.findHash(userId)
    if (before !== undefined)
      await provePresent(dependencies, visit, { before, present: parsed.data.present })
    const hash = await prepare(parsed.data.password, await users.get(userId))
    await storage.transaction(async (db) => {
      const at = clock.now()
      if (!(await store.change(db, userId, { before, hash, at }))) throw changedMeanwhile()
      await store.endLinks(db, userId, at)
      const what = before === undefined ? 'password-set' : 'password-changed'
      await notices.credentialsChanged(db, {
        userId,
        what,
        request,
        keep: holder.keep,
        locale: holder.locale,
      })
      const event = { action: 'passwords.changed', outcome: 'success', userId, request } as const
      await audit.recordIn(db, { ...event, actor: { kind: 'user', userId } })
    })
    return { to: '/account/security', notice: { key: 'password.changed' } }
  }

/** Counted as any other guess at it. */
async function provePresent(
  { throttle, hashing, audit }: PanelDependencies,
  { userId, device, request }: Visit,
  { before, present = '' }: { readonly before: string; readonly present: string | undefined },
): Promise<void> {
  if (!isPossible(present)) throw presentWrong()
  const subject = { account: `user ${userId}`, userId, address: request.address }
  const admission = await throttle.admit({ ...subject, ...(device !== undefined && { device }) })
  const matches = await hashing.verify(present, before).catch((error) => neverVerified(error, admission))
  if (!matches) {
    await audit.record({ action: 'passwords.refused', outcome: 'failure', userId, request })
    throw presentWrong()
  }
  await admission.succeeded(userId)
}
