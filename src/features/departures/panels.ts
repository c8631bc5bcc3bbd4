import type { Clock } from '../../kernel/clock.ts'
import type { Panel } from '../feature.ts'
import type { Users } from '../users/index.ts'
import type { Copies } from './copies.ts'
import type { Departures } from './departures.ts'

/** A person's copy of his data, on the page about it. */
export const copyPanel = (copies: Copies, clock: Clock): Panel => ({
  name: 'copy',
  page: 'data',
  order: 10,
  show: async () => ({ template: 'departures/copy', model: {} }),
  acts: {
    export: {
      fresh: true,
      async run({ userId, request }) {
        const body = await copies.make(userId, request)
        const day = clock.now().toISOString().slice(0, 10)
        return { file: { name: `account-${day}.json`, type: 'application/json', body } }
      },
    },
  },
})

interface DeparturePanelDependencies {
  readonly departures: Departures
  readonly users: Pick<Users, 'find'>
}

/** The deletion of a person's account, and taking it back. */
export const departurePanel = ({ departures, users }: DeparturePanelDependencies): Panel => ({
  name: 'departure',
  page: 'data',
  order: 90,

  async show({ userId }) {
    const [departure, user] = await Promise.all([departures.find(userId), users.find(userId)])
    return {
      template: 'departures/panel',
      model: {
        waitSeconds: departures.waitSeconds,
        confirmation: user?.email ?? user?.username ?? '',
        ...(departure && { dueAt: departure.dueAt }),
      },
    }
  },

  acts: {
    delete: {
      fresh: true,
      async run({ userId, request, locale, holder }, { confirmation = '' }) {
        const departure = await departures.request({
          userId,
          // Copied from the page, it brings along the isolates that stand around it there.
          confirmation: confirmation.replaceAll(/[\u2066-\u2069]/g, ''),
          request,
          locale,
          keep: holder.keep,
        })
        if (departure === undefined) return { signedOut: true }
        return { notice: { key: 'departures.requested', params: { due: departure.dueAt } } }
      },
    },
    keep: {
      async run({ userId, request, locale }) {
        await departures.keep(userId, { request, locale })
        return { notice: { key: 'departures.kept' } }
      },
    },
  },
})
