import DataLoader from 'dataloader'
import type { Statement } from '../../storage/statements.ts'
import type { Storage } from '../../storage/storage.ts'

/** A row as the statement gives it, model and identifier first. */
type Row = readonly unknown[]

interface Key {
  readonly model: string
  readonly id: string
}

/** Few sizes, so that each statement is planned once; a batch is filled up by naming its last key again. */
const sizes = [1, 2, 4, 8, 16, 32] as const
const largest = 32

/**
 * Reads rows by their keys. On PostgreSQL a question costs a round trip, so what many requests ask in one turn of the
 * event loop is asked in one statement; SQLite answers in microseconds, one by one.
 */
export function openRowLoader(storage: Storage, select: string): (key: Key) => Promise<Row | undefined> {
  if (storage.dialect === 'sqlite') {
    const one = storage.statement(`${select} WHERE model = ? AND id = ?`)
    return async ({ model, id }) => (await one.rows(model, id))[0]
  }
  const statements = new Map<number, Statement>(
    sizes.map((size) => [
      size,
      storage.statement(`${select} WHERE (model, id) IN (${Array(size).fill('(?, ?)').join(', ')})`),
    ]),
  )

  async function load(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    const size = sizes.find((each) => each >= keys.length) ?? largest
    const filled = Array.from({ length: size }, (_, index) => keys[Math.min(index, keys.length - 1)] as Key)
    const rows = (await statements.get(size)?.rows(...filled.flatMap(({ model, id }) => [model, id]))) ?? []
    const found = new Map(rows.map((row) => [`${row[0]} ${row[1]}`, row]))
    return keys.map(({ model, id }) => found.get(`${model} ${id}`))
  }

  const loader = new DataLoader<Key, Row | undefined, string>(load, {
    cache: false,
    maxBatchSize: largest,
    batchScheduleFn: (dispatch) => setImmediate(dispatch),
  })
  return (key) => loader.load(key)
}
