import { AppError } from '../kernel/errors.ts'
import type { Text } from '../kernel/text.ts'

/** What a person is told of something that was refused. */
export interface Problem {
  readonly text: Text
  /** The form's field beside which it stands; above the form where absent. */
  readonly field?: string
}

/**
 * The words of a refusal: the message `problem.<code>` with the error's parameters. `undefined` for what is not the
 * person's doing (a status of 500 and above) or has no such message: that becomes the error page.
 */
export function problemOf(error: unknown, messages: { has(key: string): boolean }): Problem | undefined {
  if (!(error instanceof AppError) || error.status >= 500) return undefined
  const { code, params, field } = error
  const key = `problem.${code}`
  if (!messages.has(key)) return undefined
  return { text: { key, params }, ...(field !== undefined && { field }) }
}
