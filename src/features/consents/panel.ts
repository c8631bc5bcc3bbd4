import type { Panel } from '../feature.ts'
import type { Connections } from './connections.ts'
import { type Consents, notConnected } from './consents.ts'

interface Dependencies {
  readonly connections: Connections
  readonly consents: Pick<Consents, 'withdraw'>
}

/** The applications that a person has let in, and what each may see. */
export const applicationsPanel = ({ connections, consents }: Dependencies): Panel => ({
  name: 'consents',
  page: 'applications',
  order: 10,

  show: async ({ userId }) => ({
    template: 'consents/panel',
    model: { applications: await connections.list(userId) },
  }),

  acts: {
    withdraw: {
      async run({ userId, request }, { client = '' }) {
        const own = (await connections.list(userId)).find(({ clientId }) => clientId === client)
        if (own === undefined) throw notConnected()
        await consents.withdraw({ userId, clientId: client }, { actor: { kind: 'user', userId }, request })
        const key = own.firstParty ? 'consents.ended' : 'consents.withdrawn'
        return { notice: { key, params: { client: own.name } } }
      },
    },
  },
})
