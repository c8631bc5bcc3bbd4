import type { UserId } from '../../kernel/ids.ts'
import type { Panel, Visit } from '../feature.ts'
import type { Enrolling } from './enrolment.ts'
import { nameIn } from './input.ts'
import { kindOf } from './makers.ts'
import { badName, notFound, type Passkey } from './passkeys.ts'
import type { RelyingParty } from './relying-party.ts'
import { openRemoval, type RemovalDependencies } from './removal.ts'

export interface PanelDependencies extends RemovalDependencies {
  readonly relyingParty: RelyingParty
  readonly settings: { readonly limit: number }
  /** Where a person goes on his account's pages who has added one; `undefined` where he has all that he needs. */
  readonly leadOn: (userId: UserId) => Promise<string | undefined>
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
  const { store, leadOn } = dependencies
  const remove = openRemoval(dependencies)

  return {
    add: {
      fresh: true,
      page: 'add',
      async run({ holder }, { credential }) {
        const { name } = await enrolling.add(holder, { credential })
        const to = await leadOn(holder.user.id)
        return { notice: { key: 'passkeys.added', params: { name } }, ...(to !== undefined && { to }) }
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
      async run({ userId, request, holder: { keep, locale } }, { id = '' }) {
        const actor = { kind: 'user', userId } as const
        const { name } = await remove({ userId, id, actor, request, keep, locale })
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
