/** What the lanes work off: `find` gives what is due, `work` does one of it and does not throw. */
export interface LaneWork<Item> {
  /** At most so many at the same time. */
  readonly atOnce: number
  find(): Promise<readonly Item[]>
  work(item: Item): Promise<void>
  /** Looking for work threw. */
  failed(error: unknown): void
}

export interface Lanes {
  /** Looks for work now, or again where it is looking already. */
  wake(): void
  /** As `wake`, and answers when nothing is left. Throws what looking for work threw. */
  drain(): Promise<void>
  /** No lane takes anything more; answers when what is under way is done. */
  end(): Promise<void>
}

/** Works off what is due, a few at a time. One that takes long holds up its own lane alone. */
export function openLanes<Item>({ atOnce, find, work, failed }: LaneWork<Item>): Lanes {
  const lanes = new Set<Promise<void>>()
  let found: readonly Item[] = []
  let looking: Promise<void> | undefined
  let lookAgain = false
  let ended = false

  /** What comes while it looks may not be in its answer, so it looks once more. */
  async function look(): Promise<void> {
    try {
      do {
        lookAgain = false
        found = await find()
      } while (lookAgain && found.length === 0)
    } finally {
      looking = undefined
    }
    // Whoever looked takes one itself.
    for (let more = Math.min(atOnce - lanes.size, found.length - 1); more > 0; more -= 1) begin()
  }

  async function next(): Promise<Item | undefined> {
    if (found.length === 0 && !ended) {
      looking ??= look()
      await looking
    }
    const [item, ...rest] = ended ? [] : found
    found = rest
    return item
  }

  async function lane(): Promise<void> {
    for (let item = await next(); item !== undefined; item = await next()) await work(item)
  }

  function begin(): void {
    const own = lane().finally(() => lanes.delete(own))
    own.catch(failed)
    lanes.add(own)
  }

  function wake(): void {
    lookAgain = true
    if (!ended && lanes.size < atOnce) begin()
  }

  return {
    wake,
    async drain() {
      wake()
      while (lanes.size > 0) await Promise.all(lanes)
    },
    async end() {
      ended = true
      await Promise.allSettled(lanes)
    },
  }
}
