/**
 * Counts what goes to the database, at its drivers. The revision counters are left out: how often they are read on SQLite
 * goes by the clock.
 */
import { StatementSync } from 'node:sqlite'
import pg from 'pg'

export interface StatementCounter extends Disposable {
  /** The least of some runs, as jobs of the server may be at work meanwhile. */
  leastOf(runs: number, work: () => Promise<unknown>): Promise<number>
}

const ways = ['all', 'run', 'get', 'iterate'] as const
const isCounter = (sql: string): boolean => /\brevision\b/.test(sql)

export function countStatements(): StatementCounter {
  let count = 0
  const see = (sql: unknown): void => {
    if (typeof sql === 'string' && !isCounter(sql)) count += 1
  }
  const taken = [
    ...ways.map((name) => wrapped(StatementSync.prototype, name, (statement) => see(statement.sourceSQL))),
    wrapped(pg.Client.prototype, 'query', (_client, [query]) => see(textOf(query))),
  ]
  return {
    async leastOf(runs, work) {
      const counts: number[] = []
      for (let run = 0; run < runs; run += 1) {
        count = 0
        await work()
        counts.push(count)
      }
      return Math.min(...counts)
    },
    [Symbol.dispose]() {
      for (const giveBack of taken) giveBack()
    },
  }
}

const textOf = (query: unknown): unknown =>
  typeof query === 'object' && query !== null && 'text' in query ? query.text : query

/** Puts `see` in front of a method; returns what takes it away. */
function wrapped<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  see: (self: T, values: readonly unknown[]) => void,
): () => void {
  const original = prototype[name]
  if (typeof original !== 'function') throw new Error(`${String(name)} is no method`)
  function counting(this: T, ...values: readonly unknown[]): unknown {
    see(this, values)
    return Reflect.apply(original as () => unknown, this, values)
  }
  Object.defineProperty(prototype, name, { value: counting, configurable: true, writable: true })
  return () => Object.defineProperty(prototype, name, { value: original, configurable: true, writable: true })
}
