import type { Clock } from '../../kernel/clock.ts'
import { type Limit, type Throttle, tooManyRequests } from './throttle.ts'

const maximumKeys = 100_000

interface Window {
  requests: number
  readonly endsAt: number
}

/**
 * Counts requests in memory, one process at a time: it protects this process from a flood, so it must cost next to
 * nothing, and guessing is held back by the stored counters anyway. The number of keys is bounded, so that a flood from
 * many addresses does not become one of memory; the oldest windows go first.
 */
export function openLimits(clock: Clock): Throttle['limit'] {
  const windows = new Map<string, Window>()

  return (key: string, { max, windowSeconds }: Limit) => {
    const now = clock.now().getTime()
    const open = windows.get(key)
    if (open === undefined || open.endsAt <= now) {
      windows.delete(key)
      if (windows.size >= maximumKeys) windows.delete(windows.keys().next().value ?? key)
      windows.set(key, { requests: 1, endsAt: now + windowSeconds * 1000 })
      return
    }
    open.requests += 1
    if (open.requests > max) throw tooManyRequests(Math.max(1, Math.ceil((open.endsAt - now) / 1000)))
  }
}
