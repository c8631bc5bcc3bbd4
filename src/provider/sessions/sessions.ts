import type { SettingValues } from '../../kernel/settings.ts'
import type { Artefacts } from '../artefacts/artefacts.ts'
import type { Payload } from '../artefacts/payload.ts'
import { endsAt, isOver } from '../lifetimes.ts'
import type { settings } from '../settings.ts'
import { factsOf, type SessionFacts, type SessionUse, withFacts } from './facts.ts'
import {
  openSessionRows,
  type SessionRowDependencies,
  type SessionRows,
  type SessionWrite,
  type SignIn,
  SignInEnded,
  signInOf,
} from './rows.ts'

const attempts = 20

export interface SessionStore {
  save(id: string, payload: Payload, ttlSeconds: number): Promise<void>
  find(id: string): Promise<Payload | undefined>
  findByUid(uid: string): Promise<Payload | undefined>
  /**
   * Adds to a session, outside of any request of its browser, what was given to a client in it: `undefined` where the
   * session has ended.
   */
  authorize(uid: string, clientId: string, given: Authorization): Promise<Payload | undefined>
  /** Ends the session and every token that lives only as long as it does. */
  end(uid: string): Promise<void>
}

export interface SessionDependencies extends SessionRowDependencies {
  readonly settings: SettingValues<typeof settings>
  readonly artefacts: Pick<Artefacts, 'findSessionByUid' | 'endSession' | 'endGrant'>
  /** The object that stands for the current request; what was read in it is the base of what is written in it. */
  readonly currentRequest: () => object | undefined
  /** What the current request brings to its end. */
  readonly currentSignIn?: () => SignIn | undefined
  /** What the current request tells of the browser. */
  readonly currentUse?: () => SessionUse | undefined
}

/** A session as a request saw it: what its next write builds on. */
interface Seen {
  readonly version: number
  readonly authorizations: Payload
  readonly signIn: string
  readonly facts: SessionFacts | undefined
}

interface SeenSessions {
  find(uid: string): Seen | undefined
  remember(uid: string, entry: Seen): void
}

/**
 * The library writes sessions whole and last-write-wins, so two tabs would undo each other's sign-ins at applications: a
 * write that finds the row changed since its request read it takes over what the other one added.
 */
export function openSessions(dependencies: SessionDependencies): SessionStore {
  const { settings, clock, storage, artefacts, currentRequest } = dependencies
  const rows = openSessionRows(dependencies)
  const seen = seenSessions(currentRequest)
  const save = saving({ ...dependencies, rows, seen })
  const live = (payload: Payload | undefined): Payload | undefined =>
    payload === undefined || isOver(settings, payload, clock.now()) ? undefined : payload

  return {
    save,
    findByUid: async (uid) => live(await artefacts.findSessionByUid(uid)),

    async find(id) {
      const found = await rows.find(id)
      const payload = live(found?.payload)
      if (found === undefined || payload === undefined) return undefined
      seen.remember(payload.uid as string, {
        version: found.version,
        authorizations: structuredClone(authorizationsOf(payload)),
        signIn: signInOf(payload),
        facts: factsOf(payload),
      })
      return payload
    },

    authorize: authorizing({ artefacts, rows, live, clock, settings }),

    async end(uid) {
      await storage.transaction((db) => artefacts.endSession(db, uid, { offlineAccess: false }))
    },
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

interface Authorizing extends Pick<SessionDependencies, 'artefacts' | 'clock' | 'settings'> {
  readonly rows: SessionRows
  readonly live: (payload: Payload | undefined) => Payload | undefined
}

/** A row that is gone stays gone. */
const authorizing =
  ({ artefacts, rows, live, clock, settings }: Authorizing): SessionStore['authorize'] =>
  async (uid, clientId, given) => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const at = await rows.findByUid(uid)
      const session = live(await artefacts.findSessionByUid(uid))
      if (at === undefined || session === undefined) return undefined
      const before = authorizationsOf(session)
      const payload = {
        ...session,
        authorizations: { ...before, [clientId]: { ...(before[clientId] as Payload), ...given } },
      }
      const expiresAt = Math.min(Number(session.exp), Math.floor(endsAt(settings, session) / 1000))
      const ttlSeconds = expiresAt - Math.floor(clock.now().getTime() / 1000)
      const write = { id: String(session.jti), payload, ttlSeconds: Math.max(1, ttlSeconds) }
      if (await rows.replace(write, at.version)) return payload
    }
    throw new Error('A session was changed too often at the same time.')
  }

interface Saving extends SessionDependencies {
  readonly rows: SessionRows
  readonly seen: SeenSessions
}

function saving(tools: Saving): SessionStore['save'] {
  const { rows, seen, artefacts, clock, settings, currentSignIn, currentUse = () => undefined } = tools
  const noting = () => ({ use: currentUse(), now: clock.now(), keepAddress: settings.sessionAddresses })

  return async (id, payload, ttlSeconds) => {
    const uid = payload.uid as string
    const written = authorizationsOf(payload)
    let base = seen.find(uid)
    const loaded = base?.authorizations ?? {}
    const noted = withFacts(payload, base?.facts, noting())
    const write: SessionWrite = { id, payload: noted, ttlSeconds }
    const known = { facts: factsOf(noted), signIn: signInOf(payload) }
    const put = putting(rows, base?.signIn === known.signIn ? undefined : currentSignIn?.())
    let merged = noted
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const current = await put({ ...write, payload: merged }, base?.version)
      if (current === 'ended') return await endLate(artefacts, { loaded, written })
      if (current === 'written') {
        const version = base === undefined ? 0 : base.version + 1
        return seen.remember(uid, { version, authorizations: authorizationsOf(merged), ...known })
      }
      const { authorizations } = current
      merged = { ...noted, authorizations: merge({ loaded, written, stored: authorizations }) }
      base = { ...current, ...known }
    }
    throw new Error('A session was changed too often at the same time.')
  }
}

type Put = Awaited<ReturnType<SessionRows['findByUid']>>

/**
 * Writes a session where it is as it was read, or not there yet: what it is instead where it is not. It stays over where
 * somebody has ended it, or the sign-in that it is to be written for.
 */
const putting =
  (rows: SessionRows, signIn: SignIn | undefined) =>
  async (
    write: SessionWrite,
    version: number | undefined,
  ): Promise<'written' | 'ended' | NonNullable<Put>> => {
    const uid = write.payload.uid as string
    const current = version === undefined ? await rows.findByUid(uid) : undefined
    if (current !== undefined) return current
    try {
      const written = await (signIn === undefined
        ? rows.write(write, version)
        : rows.signIn(write, version, signIn))
      return written ? 'written' : ((await rows.findByUid(uid)) ?? 'ended')
    } catch (error) {
      if (error instanceof SignInEnded) return 'ended'
      throw error
    }
  }

/**
 * The session was ended meanwhile and stays over; so does what this request was about to give in it. A logout leaves what
 * was given before to outlive the session.
 */
async function endLate(
  { endGrant }: SessionDependencies['artefacts'],
  { loaded, written }: Record<'loaded' | 'written', Payload>,
): Promise<void> {
  for (const [clientId, authorization] of Object.entries(written)) {
    const { grantId, persistsLogout } = authorization as Authorization
    const before = (loaded[clientId] as Authorization | undefined)?.grantId
    if (grantId !== undefined && (grantId !== before || persistsLogout !== true)) await endGrant(grantId)
  }
}

export interface Authorization {
  readonly sid?: string
  readonly grantId?: string
  readonly persistsLogout?: boolean
}

const authorizationsOf = (payload: Payload): Payload => (payload.authorizations ?? {}) as Payload

/** What this request wrote, plus what others added since it read; what it removed stays removed. */
function merge({ loaded, written, stored }: Record<'loaded' | 'written' | 'stored', Payload>): Payload {
  const added = Object.entries(stored).filter(([clientId]) => !(clientId in loaded) && !(clientId in written))
  return { ...written, ...Object.fromEntries(added) }
}
