import { setTimeout as wait } from 'node:timers/promises'
import type { Delivery } from '../feature.ts'
import { type AttemptDependencies, attempt } from './attempt.ts'
import { type Lanes, openLanes } from './lanes.ts'
import type { OutboxWorker } from './outbox.ts'
import type { DueRow } from './store.ts'

const found = 50
/** The request that put something is answered first. */
const nudgeMilliseconds = 20

export interface DeliveringDependencies extends AttemptDependencies {
  readonly deliveries: () => readonly Delivery[]
}

export interface Delivering extends OutboxWorker {
  /** Something was put: delivers it now, if this process delivers. */
  nudge(topic: string): void
}

interface Topics {
  lanesOf(delivery: Delivery): Lanes
  all(): readonly Lanes[]
  /** How often something was tried so far. */
  tries(): number
}

/** Each topic has lanes of its own, so that a mail server that hangs holds up nothing but mails. */
function openTopics(dependencies: DeliveringDependencies, breakOff: AbortSignal): Topics {
  const { store, clock, log, settings } = dependencies
  const byTopic = new Map<string, Lanes>()
  let tries = 0

  const open = (delivery: Delivery): Lanes =>
    openLanes<DueRow>({
      atOnce: settings.atOnce,
      find: () => store.due(delivery.topic, clock.now(), found),
      work(row) {
        tries += 1
        return attempt(dependencies, { delivery, row, breakOff })
      },
      failed: (error) => log.warn({ err: error, topic: delivery.topic }, 'the outbox could not be read'),
    })

  return {
    lanesOf(delivery) {
      const lanes = byTopic.get(delivery.topic) ?? open(delivery)
      byTopic.set(delivery.topic, lanes)
      return lanes
    },
    all: () => [...byTopic.values()],
    tries: () => tries,
  }
}

export function openDelivering(dependencies: DeliveringDependencies): Delivering {
  const { deliveries } = dependencies
  const breakOff = new AbortController()
  const topics = openTopics(dependencies, breakOff.signal)
  const nudged = new Set<string>()
  let started = false
  let stopped = false

  return {
    start() {
      started = true
    },
    nudge(topic) {
      const delivery = deliveries().find((each) => each.topic === topic)
      if (!started || delivery === undefined || nudged.has(topic)) return
      nudged.add(topic)
      const wake = (): void => {
        nudged.delete(topic)
        if (started) topics.lanesOf(delivery).wake()
      }
      setTimeout(wake, nudgeMilliseconds).unref()
    },
    async drain() {
      // Once more after each turn that did something: what was delivered may have put something else.
      for (let before = -1; before !== topics.tries() && !stopped; ) {
        before = topics.tries()
        await Promise.all(deliveries().map((delivery) => topics.lanesOf(delivery).drain()))
      }
    },
    async stop(graceSeconds) {
      started = false
      stopped = true
      const ended = Promise.all(topics.all().map((lanes) => lanes.end()))
      await Promise.race([ended, wait(graceSeconds * 1000, undefined, { ref: false })])
      breakOff.abort(new Error('The server stopped.'))
      await ended
    },
  }
}
