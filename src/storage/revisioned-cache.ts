import { LRUCache } from 'lru-cache'

export interface RevisionedCache<Value extends object> {
  /** The cached value of `key`, else what `load` gives; what is not there is not remembered. */
  get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined>
  /** Forgets everything, also what is being loaded at the moment. */
  drop(): void
}

interface Loading {
  readonly key: string
  /** Something changed while it was being read, so that it may be older than the change. */
  isStale: boolean
}

/**
 * Keeps at most `maximum` values, each as long as nothing of it changes, and none while `revision` is unknown. What has
 * changed is what `changedSince` says, and everything where it does not know or is not given.
 */
export function openRevisionedCache<Value extends object>(
  revision: () => number | undefined,
  maximum = 1_000,
  changedSince: (revision: number) => ReadonlySet<string> | undefined = () => undefined,
): RevisionedCache<Value> {
  const values = new LRUCache<string, Value>({ max: maximum })
  const loads = new Set<Loading>()
  let cachedRevision: number | undefined

  const drop = (): void => {
    values.clear()
    for (const each of loads) each.isStale = true
  }

  const forget = (keys: ReadonlySet<string>): void => {
    for (const key of keys) values.delete(key)
    for (const each of loads) each.isStale ||= keys.has(each.key)
  }

  const isCurrent = (): boolean => {
    const current = revision()
    if (current === cachedRevision) return current !== undefined
    const isKnown = current !== undefined && cachedRevision !== undefined
    const changed = isKnown ? changedSince(cachedRevision as number) : undefined
    if (changed === undefined) drop()
    else forget(changed)
    cachedRevision = current
    return current !== undefined
  }

  return {
    drop,
    async get(key, load) {
      const cached = isCurrent() ? values.get(key) : undefined
      if (cached !== undefined) return cached
      const loading: Loading = { key, isStale: false }
      loads.add(loading)
      try {
        const value = await load()
        if (value !== undefined && isCurrent() && !loading.isStale) values.set(key, value)
        return value
      } finally {
        loads.delete(loading)
      }
    },
  }
}
