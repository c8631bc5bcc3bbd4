import { DatabaseSync } from 'node:sqlite'
import { busyTimeoutMilliseconds } from './sqlite.ts'
import { keptChanges, type Revisions, topics } from './storage.ts'

const freshMilliseconds = 1

/** What a change was about stands beside the counters, in rows that sort by topic and then by its number. */
const rowOf = (topic: string, value: number, key = ''): string =>
  `${topic}/${String(value).padStart(10, '0')}/${key}`
const keyOf = (row: string): string => row.slice(row.indexOf('/', row.indexOf('/') + 1) + 1)

/**
 * A connection of its own reads the counters, at most once a millisecond, so a change made by another process, such as the
 * command line, counts from its commit on. Our own changes are seen at once.
 */
export function openSqliteRevisions(file: string): Revisions {
  const database = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMilliseconds })
  const names = topics.map((topic) => `'${topic}'`).join(', ')
  const counters = database.prepare(`SELECT topic, value FROM revision WHERE topic IN (${names})`)
  counters.setReturnArrays(true)
  const changes = database.prepare('SELECT topic, value FROM revision WHERE topic >= ? AND topic < ?')
  changes.setReturnArrays(true)
  let seen: ReadonlyMap<string, number> = new Map()
  let readAt = Number.NEGATIVE_INFINITY

  return {
    async announce(db, { topic, value, key }) {
      if (key === undefined) return
      await db.revision.createMany({ data: [{ topic: rowOf(topic, value, key), value }] })
      const kept = { gte: rowOf(topic, 0), lt: rowOf(topic, value - keptChanges + 1) }
      if (value >= keptChanges) await db.revision.deleteMany({ where: { topic: kept } })
    },
    refresh() {
      readAt = Number.NEGATIVE_INFINITY
    },
    revision(topic) {
      const now = performance.now()
      try {
        if (now - readAt >= freshMilliseconds) {
          seen = new Map(counters.all() as unknown as [string, number][])
          readAt = now
        }
        return seen.get(topic) ?? 0
      } catch {
        return undefined
      }
    },
    changedSince(topic, revision) {
      const current = seen.get(topic) ?? 0
      try {
        const rows = changes.all(rowOf(topic, revision + 1), rowOf(topic, current + 1))
        // One is missing that was about the whole topic, or is too long ago.
        if (rows.length !== current - revision) return undefined
        return new Set((rows as unknown as [string, number][]).map(([row]) => keyOf(row)))
      } catch {
        return undefined
      }
    },
    close: async () => database.close(),
  }
}
