import { invalidInput } from './errors.ts'

/** The place of a row in a list that is ordered by creation and identifier. */
export interface Cursor {
  readonly createdAt: Date
  readonly id: string
}

const identifier = /^[\x21-\x7e]{1,512}$/
const controls = /\p{Cc}|\p{Cs}/u
const searchLength = 200

/** What a page gives as `next`. */
export const writeCursor = ({ createdAt, id }: Cursor): string =>
  Buffer.from(JSON.stringify([createdAt.getTime(), id])).toString('base64url')

/** Throws `page.bad_cursor` for anything but what `writeCursor` gave. */
export function readCursor(text: string): Cursor {
  try {
    const [time, id] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as [unknown, unknown]
    const createdAt = new Date(Number(time))
    if (
      typeof time === 'number' &&
      typeof id === 'string' &&
      identifier.test(id) &&
      !Number.isNaN(createdAt.getTime())
    ) {
      return { createdAt, id }
    }
  } catch {
    // Not JSON: answered like any other text that no page gave.
  }
  throw invalidInput(
    'page.bad_cursor',
    'There is no such place in the list. Give back what the page before named as the next.',
  )
}

/** The text to look for, `undefined` for everything. Throws `page.bad_search` where no name can hold it. */
export function searchText(search: string | undefined): string | undefined {
  if (search === undefined || search === '') return undefined
  if (search.length <= searchLength && !controls.test(search)) return search
  throw invalidInput(
    'page.bad_search',
    `Search for one line of at most ${searchLength} printable characters.`,
  )
}
