/** What a test run hands to every test file; vitest's `inject` reads it. */
export type DatabaseKind = 'sqlite' | 'postgresql'

export interface Shared {
  /** Removed at the end of the run. */
  readonly folder: string
  /** Begins the name of every database the run makes on PostgreSQL. */
  readonly prefix: string
  /** Of the maintenance database; undefined when no project of the run is on PostgreSQL. */
  readonly postgresUrl: string | undefined
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Set by the project. */
    readonly database: DatabaseKind
    readonly shared: Shared
  }
}
