import { LRUCache } from 'lru-cache'

export interface RevisionedCache<Value extends object> {
  /** The cached value of `key`, else what `load` gives; what is not there is not remembered. */
  get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined>
  /** Forgets everything, also what is being loaded at the moment. */
  drop(): void
}

/** Keeps at most `maximum` values as long as `revision` stays the same, and none while it is unknown. */
export function openRevisionedCache<Value extends object>(
  revision: () => number | undefined,
  maximum = 1_000,
): RevisionedCache<Value> {
  const values = new LRUCache<string, Value>({ max: maximum })
  let cachedRevision: number | undefined
  let generation = 0

  const drop = (): void => {
    values.clear()
    generation += 1
  }

  const isCurrent = (): boolean => {
    const current = revision()
    if (current !== cachedRevision) {
      drop()
      cachedRevision = current
    }
    return current !== undefined
  }

  return {
    drop,
    async get(key, load) {
      const cached = isCurrent() ? values.get(key) : undefined
      if (cached !== undefined) return cached
      const startedIn = generation
      const value = await load()
      // What was read before a change became known may be older than the change.
      if (value !== undefined && isCurrent() && generation === startedIn) values.set(key, value)
      return value
    },
  }
}
