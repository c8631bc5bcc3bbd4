import type { ActOutcome, Enrolment, Panel } from '../feature.ts'
import { fewLeft } from './recovery-codes.ts'
import type { RecoveryCodeStore } from './store.ts'

const page = 'security'
const name = 'recovery-codes'

/** Where a person makes a set. */
export const makingPath = `/account/${page}/${name}/make`

/** Says how many are left, and makes new ones. */
export function recoveryCodePanel(store: RecoveryCodeStore, enrolment: Enrolment): Panel {
  return {
    name,
    page,
    order: 30,

    async show({ userId }) {
      const { total, left, createdAt } = await store.count(userId)
      return { template: 'recovery-codes/panel', model: { total, left, createdAt, few: left <= fewLeft } }
    },

    pages: {
      make: {
        fresh: true,
        title: 'recovery-codes.make-title',
        async show({ holder }) {
          const { model } = await enrolment.begin(holder)
          return { template: 'recovery-codes/make', model }
        },
      },
    },

    acts: {
      make: {
        fresh: true,
        page: 'make',
        async run({ holder }, { saved = '' }): Promise<ActOutcome> {
          await enrolment.finish(holder, { saved })
          return { notice: { key: 'recovery-codes.made' } }
        },
      },
    },
  }
}
