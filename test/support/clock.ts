import { after, type Clock } from '../../src/kernel/clock.ts'

export interface FixedClock extends Clock {
  /** Moves the clock forward; there is no way back. */
  advance(seconds: number): void
}

/** The system's clock, which a test can move ahead. The protocol library reads the system's own one. */
export const movableClock = (): FixedClock => {
  let ahead = 0
  return {
    now: () => after(new Date(), ahead),
    advance: (seconds) => {
      ahead += seconds
    },
  }
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
