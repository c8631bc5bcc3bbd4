import { type Cursor, readCursor, writeCursor } from '../kernel/paging.ts'
import type { Page, PageRequest } from '../kernel/resource.ts'
import type { Dialect } from './dialect.ts'

export const oldestFirst = [{ createdAt: 'asc' as const }, { id: 'asc' as const }]

/**
 * One page of a list that is ordered by creation and identifier, and a row more, which tells that there is another page.
 * Throws `page.bad_cursor`.
 */
export function pageQuery({ after, limit }: PageRequest) {
  const from = after === undefined ? undefined : readCursor(after)
  const beyond =
    from === undefined
      ? {}
      : { OR: [{ createdAt: { gt: from.createdAt } }, { createdAt: from.createdAt, id: { gt: from.id } }] }
  return { beyond, orderBy: oldestFirst, take: limit + 1 }
}

/** What `pageQuery` found, as its reader gets it. */
export function pageOf<Row, Item extends Cursor>(
  rows: readonly Row[],
  { limit }: PageRequest,
  read: (row: Row) => Item,
): Page<Item> {
  const items = rows.slice(0, limit).map(read)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: writeCursor(last) } : { items }
}

/** Holds the text in any case. PostgreSQL compares letter by letter unless told; SQLite does not know the word. */
export const containing = (dialect: Dialect, text: string) => ({
  contains: text,
  ...(dialect === 'postgresql' ? { mode: 'insensitive' } : {}),
})
