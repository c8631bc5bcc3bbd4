import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { FieldKind } from './catalogue.ts'

const advice: Readonly<Record<FieldKind, string>> = {
  line: 'Write one line of at most 200 printable characters.',
  lines: 'Write at most 8 lines and 500 printable characters.',
  date: 'Write a day between 1900 and today, as YYYY-MM-DD.',
  phone: 'Write the number with its country, such as +43 1 234567.',
  link: 'Write a whole address, such as https://example.com.',
}

/** `profiles.line_invalid`, `profiles.lines_invalid`, `profiles.date_invalid`, `profiles.phone_invalid` or `profiles.link_invalid`. */
export const fieldInvalid = (field: string, kind: FieldKind): AppError =>
  invalidInput(`profiles.${kind}_invalid`, `${field}: ${advice[kind]}`, { field })

export const fieldRequired = (field: string): AppError =>
  invalidInput('profiles.field_required', `${field} cannot be empty.`, { field })

export const fieldUnknown = (field: string): AppError =>
  invalidInput(
    'profiles.field_unknown',
    `There is no field ${field}. LATCHKEY_PROFILES_FIELDS names those that there are.`,
  )

export const languageUnknown = (): AppError =>
  invalidInput('profiles.language_unknown', 'Choose one of the languages of the list.', { field: 'locale' })

export const zoneUnknown = (): AppError =>
  invalidInput('profiles.zone_unknown', 'Choose one of the time zones of the list.', { field: 'zoneinfo' })

export const pictureMissing = (): AppError =>
  invalidInput('profiles.picture_missing', 'Choose a picture first.', { field: 'picture' })

export const pictureUnreadable = (cause?: unknown): AppError =>
  invalidInput('profiles.picture_unreadable', 'This is no JPEG, PNG or WebP picture that can be read.', {
    field: 'picture',
    cause,
  })

export const pictureTooLarge = (): AppError =>
  invalidInput('profiles.picture_too_large', 'The picture has too many pixels. Make it smaller first.', {
    field: 'picture',
  })

export const picturesBusy = (): AppError =>
  new AppError('profiles.pictures_busy', 429, 'Too many pictures at the same time. Try again in a moment.', {
    field: 'picture',
    retryAfterSeconds: 5,
  })
