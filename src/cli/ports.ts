import type { Readable, Writable } from 'node:stream'
import type { Feature, FeatureDefinition } from '../features/feature.ts'
import type { AppError } from '../kernel/errors.ts'

/** Standard input; of a terminal it can be told not to echo. */
export type Input = Readable & { readonly isTTY?: boolean }
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** Features that work, over a database that is open. */
export interface OpenedFeatures {
  readonly features: readonly Feature[]
  close(): Promise<void>
}

export interface MigrationReport {
  readonly applied: readonly string[]
  readonly pending: readonly { readonly name: string }[]
}

/** What the command line needs of the rest of the house. */
export interface CommandLinePorts {
  /** What there is, known without a database, in the order of the help. */
  readonly definitions: readonly FeatureDefinition[]
  openFeatures(): Promise<OpenedFeatures>
  /** Resolves when the server has ended. */
  serve(): Promise<void>
  /** Brings the database up to date and answers with the names of what was applied. */
  migrate(): Promise<readonly string[]>
  /** How far the database is, without changing it. */
  migrationState(): Promise<MigrationReport>
  /** Translates an error from below, such as a database that does not answer, for a person. */
  explain?(error: unknown): AppError | undefined
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
}
