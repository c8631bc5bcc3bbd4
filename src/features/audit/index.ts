/**
 * Owns the record of what happened (sign-ins, credentials, consents, administration) and telling a person his own part.
 * Does not own the decision what is worth recording; each feature states its own events.
 */
import { after, type Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import { type ActivityDependencies, openActivity } from './activity.ts'
import type { Audit, AuditEvent } from './audit.ts'
import { activityPanel } from './panel.ts'
import type { settings } from './settings.ts'
import { type AuditStore, openAuditStore } from './store.ts'

export type { Audit, AuditEvent, StoredEvent } from './audit.ts'

export interface AuditDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly settings: SettingValues<typeof settings>
}

export interface AuditFeature extends Feature {
  readonly audit: Audit
}

/** What the words of the account's pages need; where nobody reads them they are not given. */
export type ActivityWords = Omit<ActivityDependencies, 'events'>

const exported = 1_000

export function openAudit(
  { storage, clock, log, settings }: AuditDependencies,
  words?: ActivityWords,
): AuditFeature {
  const store = openAuditStore(storage)

  return {
    name: 'audit',
    audit: recording(store, { clock, log }),
    ...(words && { panels: [activityPanel(openActivity({ ...words, events: store.listOfUser }))] }),
    async export(userId) {
      const events = await store.listOfUser(userId, { limit: exported })
      return events.map(({ at, action, outcome, clientId, address, userAgent }) => ({
        at,
        action,
        outcome,
        clientId,
        address,
        userAgent,
      }))
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

function recording(store: AuditStore, { clock, log }: Pick<AuditDependencies, 'clock' | 'log'>): Audit {
  const note = (event: AuditEvent): void => log.info({ audit: event }, event.action)
  return {
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
  }
}
