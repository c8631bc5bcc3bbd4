import { z } from 'zod'
import { type Change, keptChanges } from './storage.ts'

/** What the table says of a topic. */
export type Counted = readonly [topic: string, value: number]

/** What was heard of a topic, and what the last of its changes were about, each its key or anything. */
interface Heard {
  count: number
  readonly keys: (string | undefined)[]
}

/** What is told of a change, and how `hear` reads it. */
export const announcementOf = ({ topic, value, key }: Change): string =>
  JSON.stringify(key === undefined ? [topic, value] : [topic, value, key])
const announcement = z.tuple([z.string(), z.int(), z.string().optional()])

export type HeardChanges = ReturnType<typeof openHeardChanges>

/** Numbers that move when a topic does; never the table's own, since some of its changes may have been missed. */
export function openHeardChanges() {
  const heard = new Map<string, Heard>()
  const inTable = new Map<string, number>()
  let base = 0

  const move = (topic: string, key?: string): void => {
    const known = heard.get(topic) ?? { count: 0, keys: [] }
    known.count += 1
    known.keys.push(key)
    if (known.keys.length > keptChanges) known.keys.shift()
    heard.set(topic, known)
  }
  const of = (topic: string): number => base + (heard.get(topic)?.count ?? 0)

  return {
    move,
    of,
    /** What a notification says. It is believed about what changed where none before it was missed. */
    hear(payload: string): void {
      const [topic, value, key] = read(payload)
      const before = inTable.get(topic) ?? 0
      move(topic, value === before + 1 ? key : undefined)
      inTable.set(topic, Math.max(before, value))
    },
    changedSince(topic: string, revision: number): ReadonlySet<string> | undefined {
      const { keys = [] } = heard.get(topic) ?? {}
      const missed = of(topic) - revision
      if (missed < 0 || missed > keys.length) return undefined
      const changed = keys.slice(keys.length - missed)
      const known = changed.filter((key) => key !== undefined)
      return known.length === changed.length ? new Set(known) : undefined
    },
    /** Moves every topic. */
    skip(by: number): void {
      base += by
    },
    /** How far each topic has been heard, to be remembered while the table is asked. */
    known: (): ReadonlyMap<string, number> => new Map(inTable),
    /** Whether the table counts something that was not heard yet. */
    isBehind: (rows: readonly Counted[]): boolean =>
      rows.some(([topic, value]) => value > (inTable.get(topic) ?? 0)),
    /**
     * Moves every topic of which a change was not heard until now, or that the table counts lower than it was known when it
     * was asked, as a database does that was restored.
     */
    compare(rows: readonly Counted[], known: ReadonlyMap<string, number>): void {
      for (const [topic, value] of rows) {
        const isHeard = value <= (inTable.get(topic) ?? 0) && value >= (known.get(topic) ?? 0)
        if (isHeard) continue
        move(topic)
        inTable.set(topic, value)
      }
    },
  }
}

/** A topic alone is what an older version says, and that it was any change of it. */
function read(payload: string): readonly [topic: string, value: number, key?: string | undefined] {
  try {
    return announcement.parse(JSON.parse(payload))
  } catch {
    return [payload, 0]
  }
}
