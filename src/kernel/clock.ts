/** Where the time comes from; tests hand in one that stands still. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** The instant `seconds` after `from`. */
export const after = (from: Date, seconds: number): Date => new Date(from.getTime() + seconds * 1000)
