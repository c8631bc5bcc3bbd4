import { AppError } from '../kernel/errors.ts'
import type { MessageKey } from './messages.ts'
import type { Text } from './models.ts'

type Field = 'form' | 'name' | 'email' | 'username' | 'password'
export type FieldErrors = { readonly [field in Field]?: Text }

const known: Readonly<Record<string, readonly [Field, MessageKey]>> = {
  'users.email_invalid': ['email', 'error.email.invalid'],
  'users.email_taken': ['email', 'error.email.taken'],
  'users.identifier_missing': ['email', 'error.field.required'],
  'users.username_invalid': ['username', 'error.username.invalid'],
  'users.username_taken': ['username', 'error.username.taken'],
  'users.name_invalid': ['name', 'error.field.too-long'],
  'passwords.too_short': ['password', 'error.password.too-short'],
  'passwords.too_long': ['password', 'error.password.too-long'],
  'passwords.malformed': ['password', 'error.password.common'],
  'passwords.common': ['password', 'error.password.common'],
  'passwords.personal': ['password', 'error.password.personal'],
}

/** The words beside the field that a feature's error is about; `undefined` for an error about something else. */
export function fieldErrors(error: unknown, minimumLength: number): FieldErrors | undefined {
  if (!(error instanceof AppError)) return undefined
  const entry = known[error.code]
  if (entry === undefined) return undefined
  const [field, key] = entry
  return { [field]: { key, params: { minimum: minimumLength, maximum: 200, ...error.params } } }
}
