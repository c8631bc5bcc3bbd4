import type { CommandLinePorts } from './ports.ts'

/** The values of options by their attribute: the long name in camel case. */
export type Given = Readonly<Record<string, unknown>>

export interface Call {
  readonly ports: CommandLinePorts
  /** The argument after the verb; empty where the verb takes none. */
  readonly key: string
  readonly given: Given
  /** Output for a program. */
  readonly json: boolean
}

/** One option as it is written and documented. */
export interface VerbOption {
  /** `--redirect-uri <text>` */
  readonly flags: string
  readonly documentation: string
  readonly required?: boolean
  readonly repeatable?: boolean
}

/** One thing the command line can do. */
export interface Verb {
  /** The words after `latchkey`. */
  readonly words: readonly string[]
  readonly documentation: string
  /** What stands after the words, such as the key of an item. */
  readonly argument?: { readonly name: string; readonly documentation: string }
  readonly options: readonly VerbOption[]
  /** Throws an `AppError` whose message says what to do. */
  run(call: Call): Promise<void>
}

/** Verbs that begin with one word. */
export interface Group {
  readonly word: string
  readonly documentation: string
}

export const jsonOption: VerbOption = {
  flags: '--json',
  documentation: 'Print JSON and nothing else on standard output.',
}
