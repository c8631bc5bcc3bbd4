/**
 * Owns work that must happen after a transaction and at least once: kept sealed with its cause, tried until it goes well.
 * Does not own what is delivered or how; each topic's feature does that.
 */
import { after } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import { payloadPlace } from './attempt.ts'
import { type DeliveringDependencies, openDelivering } from './delivering.ts'
import type { Outbox, OutboxQueue, OutboxWorker } from './outbox.ts'
import { type OutboxStore, openOutboxStore } from './store.ts'

export type { Outbox, OutboxQueue, OutboxWorker, QueuedMessage } from './outbox.ts'

export interface OutboxDependencies extends Omit<DeliveringDependencies, 'store'> {
  readonly storage: Storage
}

export interface OutboxFeature extends Feature {
  readonly outbox: Outbox
  readonly queue: OutboxQueue
  readonly worker: OutboxWorker
}

export function openOutbox(dependencies: OutboxDependencies): OutboxFeature {
  const { storage, clock, sealing, settings } = dependencies
  const store = openOutboxStore(storage)
  const delivering = openDelivering({ ...dependencies, store })

  const putAll: Outbox['putAll'] = async (db, topic, payloads) => {
    if (payloads.length === 0) return
    const createdAt = clock.now()
    const triesUntil = after(createdAt, settings.giveUpSeconds)
    const rows = payloads.map((payload) => {
      const id = newId()
      const sealed = sealing.seal(JSON.stringify(payload), payloadPlace(id))
      return { id, topic, sealed, createdAt, triesUntil }
    })
    await store.insert(db, rows)
    storage.afterCommit(db, () => delivering.nudge(topic))
  }

  return {
    name: 'outbox',
    worker: delivering,
    queue: queueOver(dependencies, store),
    outbox: {
      put: (db, topic, payload) => putAll(db, topic, [payload]),
      putAll,
    },
    jobs: [
      {
        // What failed, what a process left behind that died, and what the command line put.
        name: 'outbox.deliver',
        everySeconds: 10,
        async run() {
          await delivering.drain()
          return { more: false }
        },
      },
      {
        name: 'outbox.remove_abandoned',
        everySeconds: 3_600,
        run: async () => ({
          more: await store.removeAbandoned(after(clock.now(), -settings.keepAbandonedSeconds)),
        }),
      },
    ],
  }
}

const queueOver = ({ clock, sealing, settings }: OutboxDependencies, store: OutboxStore): OutboxQueue => ({
  async list(topic, limit) {
    const rows = await store.list(topic, limit)
    return rows.map(({ sealed, triesUntil: _, ...row }) => ({
      ...row,
      payload: JSON.parse(sealing.open(sealed, payloadPlace(row.id))) as unknown,
    }))
  },
  async retry(topic, id) {
    const availableAt = clock.now()
    return await store.retry(
      { topic, id },
      { availableAt, triesUntil: after(availableAt, settings.giveUpSeconds) },
    )
  },
})
