/** Why a document is asked for. */
export interface Asker {
  /** Somebody has allowed it before, so that it is no stranger's whim. */
  readonly isKnown: boolean
  /** Who names it, by what one sender is likely to have of an address. */
  readonly sender?: string | undefined
}

/** How many documents are asked for at once: in all, at one host, and because one sender names them. */
const mostInAll = 20
const mostOfHost = 3
const mostOfSender = 5

export interface Slots {
  /** Takes one; call the answer to give it back. `undefined` where none is free. */
  take(host: string, asker: Asker): (() => void) | undefined
}

/** Documents that people have allowed have slots of their own, which strangers cannot fill. */
export function openSlots(): Slots {
  const taken = new Map<string, number>()
  const count = (key: string, more: number): void => {
    const now = (taken.get(key) ?? 0) + more
    if (now === 0) taken.delete(key)
    else taken.set(key, now)
  }
  return {
    take(host, { isKnown, sender }) {
      const whose = isKnown ? 'known' : 'stranger'
      const limits: readonly (readonly [key: string, most: number])[] = [
        [whose, mostInAll],
        [`${whose} host ${host}`, mostOfHost],
        ...(isKnown || sender === undefined ? [] : [[`sender ${sender}`, mostOfSender] as const]),
      ]
      if (limits.some(([key, most]) => (taken.get(key) ?? 0) >= most)) return undefined
      for (const [key] of limits) count(key, 1)
      return () => {
        for (const [key] of limits) count(key, -1)
      }
    },
  }
}
