import type { Browser } from '../../kernel/http.ts'
import { type Cursor, readCursor, writeCursor } from '../../kernel/paging.ts'
import type { Text } from '../../kernel/text.ts'
import type { StoredEvent } from './audit.ts'

/** Something that a person is told of what happened to his account. */
export interface Happening {
  readonly text: Text
  readonly failed: boolean
  /** The latest time; `from` is the earliest, where it happened several times in a row. */
  readonly at: Date
  readonly from: Date
  readonly count: number
  /** Not done by the person himself: by an administrator or by the server. */
  readonly byOthers: boolean
  readonly address?: string
  readonly device: Browser
}

export interface ActivityPage {
  readonly happenings: readonly Happening[]
  /** Hand it back to read on; absent where nothing older is kept. */
  readonly next?: string
}

export interface ActivityDependencies {
  readonly events: (
    userId: string,
    page: { readonly limit: number; readonly before?: Cursor | undefined },
  ) => Promise<readonly StoredEvent[]>
  /** Whether there is such a message. What has none is for the operator and is left out. */
  readonly isTold: (key: string) => Promise<boolean>
  readonly clientName: (clientId: string) => Promise<string | undefined>
  readonly describeBrowser: (userAgent: string) => Promise<Browser>
}

const perPage = 25
const perRead = 100
/** So many entries are looked through for one page at most, however few of them are for the person. */
const longestRead = 1_000

/** The message that tells of an entry; a refusal has words of its own. */
export const messageOf = ({ action, outcome }: Pick<StoredEvent, 'action' | 'outcome'>): string =>
  outcome === 'failure' ? `event.${action}.failed` : `event.${action}`

/** A page of what happened to a user, the latest first. Throws `page.bad_cursor` (400). */
export const openActivity =
  (dependencies: ActivityDependencies) =>
  async (userId: string, after?: string): Promise<ActivityPage> => {
    const { told, next } = await readPage(dependencies, userId, after)
    const happenings = await Promise.all(folded(told).map((run) => inWords(dependencies, userId, run)))
    return { happenings, ...(next !== undefined && { next }) }
  }

async function readPage(
  { events, isTold }: ActivityDependencies,
  userId: string,
  after: string | undefined,
): Promise<{ readonly told: readonly StoredEvent[]; readonly next?: string }> {
  const told: StoredEvent[] = []
  let before = after === undefined ? undefined : readCursor(after)
  for (let read = 0; read < longestRead; read += perRead) {
    const rows = await events(userId, { limit: perRead, before })
    for (const event of rows) {
      if (told.length === perPage) return { told, next: cursorOf(told.at(-1) as StoredEvent) }
      if (await isTold(messageOf(event))) told.push(event)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < perRead) return { told }
    before = { createdAt: last.at, id: last.id }
  }
  return before === undefined ? { told } : { told, next: writeCursor(before) }
}

const cursorOf = ({ at, id }: StoredEvent): string => writeCursor({ createdAt: at, id })

const sameKind = (a: StoredEvent, b: StoredEvent): boolean =>
  messageOf(a) === messageOf(b) &&
  a.clientId === b.clientId &&
  a.userAgent === b.userAgent &&
  a.address === b.address &&
  a.actor === b.actor

/** The same from the same place in a row is told once. */
function folded(events: readonly StoredEvent[]): readonly (readonly StoredEvent[])[] {
  const runs: StoredEvent[][] = []
  for (const event of events) {
    const run = runs.at(-1)
    const first = run?.[0]
    if (run !== undefined && first !== undefined && sameKind(first, event)) run.push(event)
    else runs.push([event])
  }
  return runs
}

/** Nobody is named for what a person does before he is known, nor for what the server does; only the latter was never sent. */
const isByOthers = ({ actor, address, userAgent }: StoredEvent, userId: string): boolean =>
  actor === null ? address === null && userAgent === null : actor !== `user:${userId}`

async function inWords(
  { clientName, describeBrowser }: ActivityDependencies,
  userId: string,
  run: readonly StoredEvent[],
): Promise<Happening> {
  const latest = run[0] as StoredEvent
  const { clientId, detail, userAgent, address } = latest
  const client = clientId === null ? undefined : await clientName(clientId)
  const values = Object.entries(detail).filter(
    (entry): entry is [string, string | number] =>
      typeof entry[1] === 'string' || typeof entry[1] === 'number',
  )
  const params = {
    ...Object.fromEntries(values),
    named: client === undefined ? 'no' : 'yes',
    client: client ?? '',
  }
  return {
    text: { key: messageOf(latest), params },
    failed: latest.outcome === 'failure',
    at: latest.at,
    from: (run.at(-1) ?? latest).at,
    count: run.length,
    byOthers: isByOthers(latest, userId),
    ...(address !== null && { address }),
    device: userAgent === null ? {} : await describeBrowser(userAgent),
  }
}
