import type { Context } from 'koa'
import { AppError } from '../kernel/errors.ts'
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

/** As `fieldErrors`; the answer gets the error's status, and says when trying again can help (RFC 9110 §10.2.3). */
export function refusedForm(
  ctx: Context,
  error: unknown,
  messages: { has(key: string): boolean },
): FieldErrors | undefined {
  const errors = fieldErrors(error, messages)
  if (errors === undefined || !(error instanceof AppError)) return undefined
  ctx.status = error.status
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds))
  return errors
}
