import type { Payload } from './payload.ts'
import {
  openSessionRows,
  type SessionRowDependencies,
  type SessionRows,
  type SessionWrite,
} from './session-rows.ts'

const attempts = 20

export interface SessionStore {
  save(id: string, payload: Payload, ttlSeconds: number): Promise<void>
  find(id: string): Promise<Payload | undefined>
  /** Ends the session and every token that lives only as long as it does. */
  end(uid: string): Promise<void>
}

export interface SessionDependencies extends SessionRowDependencies {
  /** The object that stands for the current request; what was read in it is the base of what is written in it. */
  readonly currentRequest: () => object | undefined
}

/** A session as a request saw it: what its next write builds on. */
interface Seen {
  readonly version: number
  readonly authorizations: Payload
}

interface SeenSessions {
  find(uid: string): Seen | undefined
  remember(uid: string, entry: Seen): void
}

/**
 * The library writes sessions whole and last-write-wins, so two tabs would undo each other's sign-ins at applications: a
 * write that finds the row changed since its request read it takes over what the other one added.
 */
export function openSessions({ currentRequest, ...dependencies }: SessionDependencies): SessionStore {
  const rows = openSessionRows(dependencies)
  const seen = seenSessions(currentRequest)

  return {
    save: (id, payload, ttlSeconds) => save({ rows, seen }, { id, payload, ttlSeconds }),

    async find(id) {
      const found = await rows.find(id)
      if (found === undefined) return undefined
      const { payload, version } = found
      seen.remember(payload.uid as string, {
        version,
        authorizations: structuredClone(authorizationsOf(payload)),
      })
      return payload
    },

    end: (uid) => rows.remove(uid),
  }
}

function seenSessions(currentRequest: () => object | undefined): SeenSessions {
  const seen = new WeakMap<object, Map<string, Seen>>()
  return {
    find(uid) {
      const request = currentRequest()
      return request === undefined ? undefined : seen.get(request)?.get(uid)
    },
    remember(uid, entry) {
      const request = currentRequest()
      if (request === undefined) return
      if (!seen.has(request)) seen.set(request, new Map())
      seen.get(request)?.set(uid, entry)
    },
  }
}

async function save(
  { rows, seen }: { readonly rows: SessionRows; readonly seen: SeenSessions },
  write: SessionWrite,
): Promise<void> {
  const uid = write.payload.uid as string
  const written = authorizationsOf(write.payload)
  let base = seen.find(uid)
  const loaded = base?.authorizations ?? {}
  let merged = write.payload
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (base !== undefined && (await rows.replace({ ...write, payload: merged }, base.version)))
      return seen.remember(uid, { version: base.version + 1, authorizations: authorizationsOf(merged) })
    const current = await rows.findByUid(uid)
    if (current === undefined && base !== undefined) return // ended meanwhile: a session that is over stays over
    if (current === undefined) {
      await rows.insert(write)
      return seen.remember(uid, { version: 0, authorizations: written })
    }
    const { authorizations } = current
    merged = { ...write.payload, authorizations: merge({ loaded, written, stored: authorizations }) }
    base = current
  }
  throw new Error('A session was changed too often at the same time.')
}

const authorizationsOf = (payload: Payload): Payload => (payload.authorizations ?? {}) as Payload

/** What this request wrote, plus what others added since it read; what it removed stays removed. */
function merge({ loaded, written, stored }: Record<'loaded' | 'written' | 'stored', Payload>): Payload {
  const added = Object.entries(stored).filter(([clientId]) => !(clientId in loaded) && !(clientId in written))
  return { ...written, ...Object.fromEntries(added) }
}
