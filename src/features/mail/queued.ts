import type { QueuedMail } from './mail.ts'

/** As the outbox keeps it: JSON, in which an instant is told from text. */
export const toPayload = (mail: QueuedMail): unknown => stored(mail)

/** Only of what `toPayload` made: the outbox seals what it keeps. */
export const fromPayload = (payload: unknown): QueuedMail => restored(payload) as QueuedMail

const instantKey = '$instant'

function stored(value: unknown): unknown {
  if (value instanceof Date) return { [instantKey]: value.toISOString() }
  return each(value, stored)
}

function restored(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && instantKey in value) {
    return new Date(String(value[instantKey]))
  }
  return each(value, restored)
}

function each(value: unknown, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part)]))
}
