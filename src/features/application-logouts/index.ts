/**
 * Owns which applications are told that a session ended, each telling's state for a while, and the commands over it.
 * Does not own the logout token and its way (the provider's), nor that it is tried again (`outbox`).
 */
import { after } from '../../kernel/clock.ts'
import type { Feature } from '../feature.ts'
import {
  type ApplicationLogouts,
  type ApplicationLogoutsDependencies,
  openLogouts,
} from './application-logouts.ts'
import { logoutCommands } from './commands.ts'
import { openDelivery } from './delivery.ts'
import { openApplicationLogoutStore } from './store.ts'
import type { Logout } from './telling.ts'

export type { ApplicationLogouts, LogoutAnswer, SendLogout } from './application-logouts.ts'
export { applicationLogoutsDefinition } from './commands.ts'
export type { Logout } from './telling.ts'

export interface ApplicationLogoutsFeature extends Feature {
  readonly logouts: ApplicationLogouts
}

export function openApplicationLogouts(
  dependencies: ApplicationLogoutsDependencies,
): ApplicationLogoutsFeature {
  const { storage, clock, settings } = dependencies
  const store = openApplicationLogoutStore(storage)
  const parts = { ...dependencies, store }
  const delivery = openDelivery(parts)
  const logouts = openLogouts(parts)

  return {
    name: 'application-logouts',
    logouts: {
      connect: delivery.connect,
      tell: (logout: Logout) => storage.transaction((db) => logouts.tell(db, [logout])),
    },
    async sessionsEnded(db, ended) {
      const told: readonly Logout[] = ended.flatMap(({ sids, userId, sessionUid }) =>
        Object.entries(sids).map(([clientId, sid]) => ({ clientId, sid, userId, sessionUid })),
      )
      if (told.length > 0) await logouts.tell(db, told)
    },
    deliveries: [delivery],
    commands: logoutCommands({ ...parts, retry: logouts.retry }),
    jobs: [
      {
        name: 'application-logouts.remove_old',
        everySeconds: 3_600,
        run: async () => ({
          more: await store.removeEnded(after(clock.now(), -settings.keepAbandonedSeconds)),
        }),
      },
    ],
  }
}
