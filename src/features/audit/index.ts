/**
 * Owns the record of what happened: sign-ins, credentials, consents, administration.
 * Does not own the decision what is worth recording; each feature states its own events.
 */
import { after, type Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import type { Audit, AuditEvent } from './audit.ts'
import type { settings } from './settings.ts'
import { openAuditStore } from './store.ts'

export type { Audit, AuditEvent } from './audit.ts'

export interface AuditDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly settings: SettingValues<typeof settings>
}

export function openAudit({
  storage,
  clock,
  log,
  settings,
}: AuditDependencies): Feature & { readonly audit: Audit } {
  const store = openAuditStore(storage)
  const note = (event: AuditEvent): void => log.info({ audit: event }, event.action)

  return {
    name: 'audit',
    audit: {
      async record(event) {
        note(event)
        try {
          await store.insert(event, clock.now())
        } catch (error) {
          log.error({ err: error, action: event.action }, 'an audit entry could not be stored')
        }
      },
      async recordIn(db, event) {
        await store.insert(event, clock.now(), db)
        note(event)
      },
    },
    jobs: [
      {
        name: 'audit.remove_old',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeBefore(after(clock.now(), -settings.retentionSeconds)) }),
      },
    ],
  }
}
