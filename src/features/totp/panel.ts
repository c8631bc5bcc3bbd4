import type { UserId } from '../../kernel/ids.ts'
import type { ActOutcome, Enrolment, Panel, PanelAct, Visit } from '../feature.ts'
import type { Change, Changes } from './changes.ts'
import type { TotpStore } from './store.ts'
import { type Authenticator, maximumAuthenticators, nameLength, unknownAuthenticator } from './totp.ts'

export interface PanelDependencies {
  readonly store: TotpStore
  readonly changes: Changes
  readonly enrolment: Enrolment
  /** Where a person goes who has added a way to sign in; `undefined` where he has all that he needs. */
  readonly leadOn: (userId: UserId) => Promise<string | undefined>
}

type Form = Readonly<Record<string, string>>

/** Lists, adds, renames and removes a person's own authenticators. */
export function totpPanel(dependencies: PanelDependencies): Panel {
  const { store } = dependencies
  return {
    name: 'totp',
    page: 'security',
    order: 20,

    async show({ userId }) {
      const authenticators = await store.list(userId)
      const full = authenticators.length >= maximumAuthenticators
      return { template: 'totp/panel', model: { authenticators, full } }
    },

    pages: pages(dependencies),
    acts: { add: adding(dependencies), ...changing(dependencies) },
  }
}

function pages({ store, enrolment }: PanelDependencies): NonNullable<Panel['pages']> {
  const owned = async ({ userId }: Visit, { id = '' }: Form): Promise<Authenticator> => {
    const found = await store.find(userId, id)
    if (found === null) throw unknownAuthenticator()
    return found
  }
  return {
    add: {
      fresh: true,
      title: 'totp.add-title',
      async show({ holder }) {
        const { model } = await enrolment.begin(holder)
        return { template: 'totp/add', model }
      },
    },
    rename: {
      title: 'totp.rename-title',
      show: async (visit, query) => ({
        template: 'totp/rename',
        model: { authenticator: await owned(visit, query), nameLength },
      }),
    },
    remove: {
      fresh: true,
      title: 'totp.remove-title',
      show: async (visit, query) => ({
        template: 'totp/remove',
        model: { authenticator: await owned(visit, query) },
      }),
    },
  }
}

const adding = ({ enrolment, leadOn }: PanelDependencies): PanelAct => ({
  fresh: true,
  page: 'add',
  async run({ holder, userId }, { code = '', name = '' }): Promise<ActOutcome> {
    await enrolment.finish(holder, { code, name })
    const to = await leadOn(userId)
    const notice = { key: 'totp.added', params: { name: name.trim() } }
    return to === undefined ? { notice } : { to, notice }
  },
})

const changing = ({ changes }: PanelDependencies): NonNullable<Panel['acts']> => ({
  rename: {
    page: 'rename',
    async run(visit, { id = '', name = '' }): Promise<ActOutcome> {
      await changes.rename(changeOf(visit, id), name)
      return { notice: { key: 'totp.renamed' } }
    },
  },
  remove: {
    fresh: true,
    page: 'remove',
    async run(visit, { id = '' }): Promise<ActOutcome> {
      const { name } = await changes.remove(changeOf(visit, id))
      return { notice: { key: 'totp.removed', params: { name } } }
    },
  },
})

const changeOf = ({ userId, request, locale, holder }: Visit, id: string): Change => ({
  userId,
  id,
  actor: { kind: 'user', userId },
  request,
  locale,
  keep: holder.keep,
})
