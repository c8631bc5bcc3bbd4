/** What a check found: it holds when there is no fault. */
export interface Verdict {
  /** Each names the file and says what to do or what is allowed. */
  readonly faults: readonly string[]
  /** What was looked at, in a few words. */
  readonly summary: string
}
