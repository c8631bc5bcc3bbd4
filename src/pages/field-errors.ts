import type { Text } from '../kernel/text.ts'
import { problemOf } from './problems.ts'

/** Words by the field beside which they stand; `form` stands above them all. */
export type FieldErrors = Readonly<Record<string, Text>>

/** What a form's template is given of a refusal; `undefined` for an error that is not told beside a form. */
export function fieldErrors(
  error: unknown,
  messages: { has(key: string): boolean },
): FieldErrors | undefined {
  const problem = problemOf(error, messages)
  return problem && { [problem.field ?? 'form']: problem.text }
}
