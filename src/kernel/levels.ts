/**
 * What a sign-in is worth, from little to much: one factor; two, or one that holds two; one that no copied page can
 * obtain.
 */
export const levels = ['single-factor', 'multi-factor', 'phishing-resistant'] as const
/** One of `levels`. */
export type Level = (typeof levels)[number]

/** Whether it is worth as much as is wanted, or more. */
export const isAtLeast = (level: Level, wanted: Level): boolean =>
  levels.indexOf(level) >= levels.indexOf(wanted)

/** The one that is worth most; `single-factor` of none. */
export const highest = (all: readonly Level[]): Level =>
  all.reduce((best, level) => (isAtLeast(level, best) ? level : best), 'single-factor')
