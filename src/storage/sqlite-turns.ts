import type { DatabaseSync } from 'node:sqlite'
import {
  DriverAdapterError,
  type SqlQuery,
  type SqlQueryable,
  type Transaction,
} from '@prisma/driver-adapter-utils'
import { guarded } from './sqlite-errors.ts'

export interface Turns {
  /** Runs `work` at once, or after the transaction that is open. */
  whenFree<T>(work: () => T): Promise<T>
  /** Opens a transaction, in which alone `direct` may be used until it ends. */
  begin(direct: Direct): Promise<Transaction>
}

interface Direct {
  query(input: SqlQuery): Awaited<ReturnType<SqlQueryable['queryRaw']>>
  execute(input: SqlQuery): number
}

/** One connection has one transaction at a time, and everything outside of it waits for its end. */
export function openTurns(
  database: DatabaseSync,
  identity: Pick<SqlQueryable, 'provider' | 'adapterName'>,
): Turns {
  let current: Promise<void> | undefined

  async function whenFree<T>(work: () => T): Promise<T> {
    // Asked anew after each wait, with no step between the answer and the work: several may have waited for the same end.
    while (current !== undefined) await current
    return work()
  }

  function take(): () => void {
    // IMMEDIATE takes the write lock at once: a deferred one fails half-way when another process writes first.
    guarded(() => database.exec('BEGIN IMMEDIATE'))
    const { promise, resolve } = Promise.withResolvers<void>()
    current = promise
    return () => {
      current = undefined
      resolve()
    }
  }

  function end(word: 'COMMIT' | 'ROLLBACK'): void {
    try {
      if (database.isTransaction) guarded(() => database.exec(word))
    } finally {
      // A commit that failed leaves SQLite inside, and those who wait must not come in there.
      if (database.isTransaction) database.exec('ROLLBACK')
    }
  }

  async function begin(direct: Direct): Promise<Transaction> {
    const release = await whenFree(take)
    // It ends once: nothing that is asked of it later may reach the next one.
    let open = true
    const ending = (word: 'COMMIT' | 'ROLLBACK') => async (): Promise<void> => {
      if (!open) return
      open = false
      try {
        end(word)
      } finally {
        release()
      }
    }
    const inside =
      <T>(work: (input: SqlQuery) => T) =>
      async (input: SqlQuery): Promise<T> => {
        if (open) return work(input)
        throw new DriverAdapterError({
          kind: 'TransactionAlreadyClosed',
          cause: 'It was committed or rolled back.',
        })
      }
    return {
      ...identity,
      options: { usePhantomQuery: true },
      queryRaw: inside(direct.query),
      executeRaw: inside(direct.execute),
      commit: ending('COMMIT'),
      rollback: ending('ROLLBACK'),
    }
  }

  return { whenFree, begin }
}
