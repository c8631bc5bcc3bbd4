const batch = 1_000

/**
 * Removes at most one batch of rows, so that nobody waits long for it; true when more may be left. `remove` asks again for
 * what made a row due where that may have changed since it was found.
 */
export async function removeBatch<Row>(
  find: (take: number) => PromiseLike<readonly Row[]>,
  remove: (rows: readonly Row[]) => PromiseLike<unknown>,
): Promise<boolean> {
  const rows = await find(batch)
  if (rows.length > 0) await remove(rows)
  return rows.length === batch
}
