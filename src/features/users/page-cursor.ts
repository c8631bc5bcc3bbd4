import { invalidInput } from '../../kernel/errors.ts'

/** The last item of a page: the next one begins after it. */
export interface Cursor {
  readonly createdAt: Date
  readonly id: string
}

export const cursorOf = ({ createdAt, id }: Cursor): string =>
  Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')

/** Throws `users.cursor_invalid` (400). */
export function parseCursor(text: string): Cursor {
  const match = /^(\d{1,13})\.([\w-]{1,64})$/.exec(Buffer.from(text, 'base64url').toString('utf8'))
  const [, time = '', id = ''] = match ?? []
  if (match === null)
    throw invalidInput(
      'users.cursor_invalid',
      'This is not the `next` of an earlier page. Start from the first page.',
    )
  return { createdAt: new Date(Number(time)), id }
}
