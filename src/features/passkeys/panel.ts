import type { UserId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Factor, Panel, Visit } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Enrolling } from './enrolment.ts'
import { nameIn } from './input.ts'
import { kindOf } from './makers.ts'
import { badName, lastWay, notFound, type Passkey, passkeyFactor } from './passkeys.ts'
import type { RelyingParty } from './relying-party.ts'
import type { PasskeyStore } from './store.ts'

export interface PanelDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: PasskeyStore
  readonly audit: Audit
  readonly notices: Pick<Notices, 'credentialsChanged'>
  readonly relyingParty: RelyingParty
  /** Every way to sign in that there is. */
  readonly factors: () => readonly Factor[]
  readonly settings: { readonly limit: number }
}

type Form = Readonly<Record<string, string>>

/** A person's own passkeys. */
export const passkeyPanel = (dependencies: PanelDependencies, enrolling: Enrolling): Panel => ({
  name: 'passkeys',
  page: 'security',
  order: 10,
  show: showing(dependencies),
  pages: pages(dependencies, enrolling),
  acts: acts(dependencies, enrolling),
})

function pages({ store }: PanelDependencies, enrolling: Enrolling): NonNullable<Panel['pages']> {
  const ownPage =
    (template: string) =>
    async ({ userId }: Visit, { id }: Form) => {
      const passkey = (await store.list(userId)).find((each) => each.id === id)
      if (passkey === undefined) throw notFound()
      return { template, model: { id: passkey.id, name: passkey.name } }
    }

  return {
    add: {
      fresh: true,
      title: 'passkeys.add-title',
      show: async ({ holder }) => ({
        template: 'passkeys/add',
        model: { options: await enrolling.options(holder) },
      }),
    },
    rename: { title: 'passkeys.rename-title', show: ownPage('passkeys/rename') },
    remove: { fresh: true, title: 'passkeys.remove-title', show: ownPage('passkeys/remove') },
  }
}

function acts(dependencies: PanelDependencies, enrolling: Enrolling): NonNullable<Panel['acts']> {
  const { store } = dependencies
  const remove = removing(dependencies)

  return {
    add: {
      fresh: true,
      page: 'add',
      async run({ holder }, { credential }) {
        const { name } = await enrolling.add(holder, { credential })
        return { notice: { key: 'passkeys.added', params: { name } } }
      },
    },
    rename: {
      page: 'rename',
      async run({ userId }, form) {
        const name = nameIn(form.name)
        if (name === undefined) throw badName()
        if (!(await store.rename(userId, form.id ?? '', name))) throw notFound()
        return { notice: { key: 'passkeys.renamed', params: { name } } }
      },
    },
    remove: {
      fresh: true,
      page: 'remove',
      async run(visit, form) {
        const name = await remove(visit, form.id ?? '')
        return { notice: { key: 'passkeys.removed', params: { name } } }
      },
    },
  }
}

const showing =
  ({ store, relyingParty, settings }: PanelDependencies): Panel['show'] =>
  async ({ userId }) => {
    const passkeys = await store.list(userId)
    const handle = await store.findHandle(userId)
    const accepted = passkeys.filter(({ rpId }) => rpId === relyingParty.id)
    return {
      template: 'passkeys/panel',
      model: {
        passkeys: passkeys.map((passkey) => itemOf(passkey, relyingParty)),
        limit: settings.limit,
        signal: handle === undefined ? '' : signalOf(relyingParty, handle, accepted),
      },
    }
  }

const itemOf = (passkey: Passkey, relyingParty: RelyingParty) => ({
  id: passkey.id,
  name: passkey.name,
  kind: kindOf(passkey),
  synced: passkey.multiDevice && passkey.backedUp,
  createdAt: passkey.createdAt,
  lastUsedAt: passkey.lastUsedAt,
  /** The domain for which alone it works, where that is another one than today's. */
  otherDomain: passkey.rpId === relyingParty.id ? undefined : passkey.rpId,
})

/** `AllAcceptedCredentialsOptions` (WebAuthn Level 3 §5.1.10.3): the browser's own list forgets what was removed here. */
const signalOf = ({ id }: RelyingParty, handle: string, accepted: readonly Passkey[]): string =>
  JSON.stringify({
    rpId: id,
    userId: handle,
    allAcceptedCredentialIds: accepted.map((passkey) => passkey.id),
  })

/** Whoever has no other way to sign in keeps one passkey, even if he removes two at the same time. */
const removing =
  ({ storage, store, audit, notices, factors, relyingParty }: PanelDependencies) =>
  async ({ userId, request, holder }: Visit, id: string): Promise<string> => {
    const other = await hasOtherWay(factors(), userId)
    return await storage.transaction(async (db) => {
      await store.lock(db, userId)
      const passkeys = await store.list(userId, db)
      const { name } = passkeys.find((passkey) => passkey.id === id) ?? {}
      if (name === undefined) throw notFound()
      const stays = passkeys.some((passkey) => passkey.id !== id && passkey.rpId === relyingParty.id)
      if (!stays && !other) throw lastWay()
      await store.remove(db, userId, id)
      const event = { actor: { kind: 'user', userId } as const, userId, request, detail: { name } }
      await audit.recordIn(db, { action: 'passkeys.removed', outcome: 'success', ...event })
      const { keep } = holder
      const notice = { userId, what: 'passkey-removed', params: { name }, request, keep }
      await notices.credentialsChanged(db, notice)
      return name
    })
  }

/** Whether a person can begin to sign in without any passkey. */
async function hasOtherWay(factors: readonly Factor[], userId: UserId): Promise<boolean> {
  const others = factors.filter(({ name, offers }) => name !== passkeyFactor && offers !== 'second')
  return (await Promise.all(others.map((factor) => factor.enrolled(userId)))).includes(true)
}
