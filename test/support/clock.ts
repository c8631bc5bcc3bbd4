import { after, type Clock } from '../../src/kernel/clock.ts'

export interface FixedClock extends Clock {
  /** Moves the clock forward; there is no way back. */
  advance(seconds: number): void
}

/** A clock that stands still until a test advances it. */
export const fixedClock = (start: Date = new Date('2026-01-01T12:00:00Z')): FixedClock => {
  let at = start
  return {
    now: () => new Date(at),
    advance: (seconds) => {
      at = after(at, seconds)
    },
  }
}
