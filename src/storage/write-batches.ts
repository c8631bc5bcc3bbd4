import type { SqlDriverAdapter, SqlQuery, SqlQueryable } from '@prisma/driver-adapter-utils'

interface Waiting {
  readonly query: SqlQuery
  readonly done: (changed: number) => void
  readonly failed: (error: unknown) => void
}

/**
 * Commits the single writes of many requests together: what arrives in one turn of the event loop shares one transaction,
 * as in SQLite the commit costs more than the write. Nobody is answered before the commit. A batch in which one write
 * fails is taken back and each write tried by itself.
 */
export function batchingWrites(connect: () => Promise<SqlDriverAdapter>): SqlQueryable {
  let waiting: Waiting[] = []

  async function flush(): Promise<void> {
    const batch = waiting
    waiting = []
    try {
      const connection = await connect()
      const [only] = batch
      if (batch.length === 1 && only !== undefined) return await alone(connection, only)
      const changed = await together(connection, batch).catch(() => undefined)
      if (changed === undefined) for (const each of batch) await alone(connection, each)
      else for (const [index, { done }] of batch.entries()) done(changed[index] ?? 0)
    } catch (error) {
      for (const { failed } of batch) failed(error)
    }
  }

  return {
    provider: 'sqlite',
    adapterName: 'write-batches',
    queryRaw: async (query) => await (await connect()).queryRaw(query),
    executeRaw: (query) =>
      new Promise((done, failed) => {
        if (waiting.length === 0) setImmediate(() => void flush())
        waiting.push({ query, done, failed })
      }),
  }
}

async function together(connection: SqlDriverAdapter, batch: readonly Waiting[]): Promise<readonly number[]> {
  const transaction = await connection.startTransaction()
  try {
    const changed: number[] = []
    for (const { query } of batch) changed.push(await transaction.executeRaw(query))
    await transaction.commit()
    return changed
  } catch (error) {
    await transaction.rollback()
    throw error
  }
}

const alone = (connection: SqlDriverAdapter, { query, done, failed }: Waiting): Promise<void> =>
  connection.executeRaw(query).then(done, failed)
