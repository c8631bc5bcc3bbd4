import { startPostgres } from '../test/support/postgres.ts'
import type { Cleanup } from './cleanup.ts'

export type Database = 'sqlite' | 'postgresql'

/** PostgreSQL's own defaults, where the tests trade durability for speed. */
const productionSettings = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  autovacuum: 'on',
  shared_buffers: '128MB',
  wal_level: 'replica',
  max_wal_senders: '10',
  io_method: 'worker',
  jit: 'on',
}

/** The variables that point Latchkey at a fresh database. */
export async function openDatabase(
  database: Database,
  cleanup: Cleanup,
): Promise<Readonly<Record<string, string>>> {
  if (database === 'sqlite') return {}
  const server = await startPostgres(productionSettings)
  cleanup.onEnd(() => server.close())
  return { DATABASE_URL: (await server.createDatabase()).url }
}
