import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Pending, SignedIn } from './sign-in.ts'

/** What the application knows of one browser. In memory, as this is a sample; a real application uses a database. */
export interface Session {
  /** Sign-ins under way, by `state`: each tab has its own. */
  readonly pending: Map<string, Pending>
  signedIn?: SignedIn
}

export interface Sessions {
  /** The browser's session; an empty one is begun where there is none. */
  of(request: IncomingMessage, response: ServerResponse): Session
  /** Replaces the session at sign-in, so that an identifier that was known before is worth nothing after. */
  renew(request: IncomingMessage, response: ServerResponse, signedIn: SignedIn): void
  end(request: IncomingMessage): void
}

// Cookies do not know ports, so the name keeps this application's apart from those of others on localhost.
const cookieName = 'sample_session'
const maximumSessions = 1_000
const maximumPending = 10

export function openSessions(): Sessions {
  const sessions = new Map<string, Session>()

  const begin = (response: ServerResponse, session: Session): Session => {
    const id = randomBytes(32).toString('base64url')
    keep(sessions, { key: id, value: session, maximum: maximumSessions })
    response.setHeader('Set-Cookie', `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Lax`)
    return session
  }

  return {
    of: (request, response) => sessions.get(idOf(request)) ?? begin(response, { pending: new Map() }),
    renew(request, response, signedIn) {
      const pending = sessions.get(idOf(request))?.pending ?? new Map()
      sessions.delete(idOf(request))
      begin(response, { pending, signedIn })
    },
    end: (request) => void sessions.delete(idOf(request)),
  }
}

export const remember = ({ pending }: Session, begun: Pending): void =>
  keep(pending, { key: begun.state, value: begun, maximum: maximumPending })

/** A sign-in is finished once. */
export function take({ pending }: Session, state: string): Pending | undefined {
  const found = pending.get(state)
  pending.delete(state)
  return found
}

const idOf = ({ headers }: IncomingMessage): string =>
  new RegExp(`(?:^|; )${cookieName}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? ''

interface Entry<Value> {
  readonly key: string
  readonly value: Value
  readonly maximum: number
}

/** Adds to a map that forgets its oldest entry when it is full. */
function keep<Value>(map: Map<string, Value>, { key, value, maximum }: Entry<Value>): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > maximum && oldest !== undefined) map.delete(oldest)
}
