import { AppError } from '../../kernel/errors.ts'
import type { Actor, RequestFacts } from '../../kernel/http.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { EndedSession, Kept } from '../feature.ts'

/** A session in which somebody is signed in. */
export interface SessionRecord {
  readonly uid: string
  readonly userId: string
  readonly signedInAt: Date
  /** When the person last proved who he is. */
  readonly authenticatedAt: Date
  readonly lastUsedAt: Date
  /** The person asked to stay signed in. */
  readonly kept: boolean
  /** RFC 8176. */
  readonly amr: readonly string[]
  readonly userAgent: string
  readonly address?: string
  readonly deviceHash?: string
  readonly clientIds: readonly string[]
}

/** Where sessions are. */
export interface SessionSource {
  /** Live ones, the last used first. */
  sessionsOfUser(userId: string): Promise<readonly SessionRecord[]>
  findSession(uid: string): Promise<SessionRecord | undefined>
  /** `undefined` where there is no such session (of that user). */
  endSession(
    db: DatabaseTransaction,
    uid: string,
    options: { readonly offlineAccess: boolean; readonly userId?: string },
  ): Promise<EndedSession | undefined>
  endOthersOfUser(db: DatabaseTransaction, userId: string, keep: Kept): Promise<void>
  endEverythingOfUser(db: DatabaseTransaction, userId: string): Promise<void>
}

export interface SessionFeatureDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly audit: Audit
  readonly source: SessionSource
  /** Devices that are asked for less; whoever ends a session elsewhere does not trust the device it is on. */
  readonly devices: DeviceTrust
  /** Sign-ins under way end with all sessions, and with all others. */
  readonly attempts: Pick<Attempts, 'endOfUser'>
  /** Whoever ends a session elsewhere does not want what was asked for in it, such as another address. */
  readonly endPendingAddress: (db: DatabaseTransaction, userId: string) => Promise<void>
  /** `undefined` for a client that is none or is gone. */
  readonly clientName: (clientId: string) => Promise<string | undefined>
  /** By identifier, e-mail address or user name. Throws `users.not_found` (404). */
  readonly getUser: (key: string) => Promise<{ readonly id: string }>
}

/** What a session elsewhere that is ended is not to leave behind: the trust in its device. */
export interface DeviceTrust {
  forget(db: DatabaseTransaction, userId: string, deviceHash: string): Promise<void>
  /** Forgets all but one. */
  forgetOthers(db: DatabaseTransaction, userId: string, deviceHash: string | undefined): Promise<void>
}

/** Who ends it, for the record. */
export interface EndedBy {
  readonly actor: Actor
  readonly request?: RequestFacts
}

/** Where people are signed in, for them and for administrators. */
export interface Sessions {
  list(userId: string): Promise<readonly SessionRecord[]>
  /**
   * Ends a session by its public identifier, with everything that was given in it; with `userId` only one of his. Throws
   * `sessions.not_found` (404).
   */
  end(id: string, by: EndedBy & { readonly userId?: string }): Promise<void>
  /** Everything of the user but one session and what was given in it; applications that keep access lose it, too. */
  endOthers(userId: string, sessionUid: string, by: EndedBy): Promise<void>
  endAll(userId: string, by: EndedBy): Promise<void>
}

const prefix = 'ses_'

/** What a session is called outside: neither its cookie nor anything else that opens something. */
export const publicId = (uid: string): string => `${prefix}${uid}`

const uidOf = (id: string): string | undefined => /^ses_([\w-]{1,64})$/.exec(id)?.[1]

export const notFound = (): AppError =>
  new AppError('sessions.not_found', 404, 'There is no such session; it may have ended meanwhile.')

type Ending = Pick<
  SessionFeatureDependencies,
  'storage' | 'audit' | 'source' | 'devices' | 'attempts' | 'endPendingAddress'
>

export const openEnding = ({
  storage,
  audit,
  source,
  devices,
  attempts,
  endPendingAddress,
}: Ending): Omit<Sessions, 'list'> => ({
  async end(id, { userId, ...by }) {
    const uid = uidOf(id)
    const session = uid === undefined ? undefined : await source.findSession(uid)
    if (session === undefined || (userId !== undefined && session.userId !== userId)) throw notFound()
    await storage.transaction(async (db) => {
      const options = { offlineAccess: true, userId: session.userId }
      const ended = await source.endSession(db, session.uid, options)
      if (ended === undefined) throw notFound()
      if (session.deviceHash !== undefined) await devices.forget(db, session.userId, session.deviceHash)
      await endPendingAddress(db, session.userId)
      await audit.recordIn(db, {
        action: 'sessions.ended',
        outcome: 'success',
        userId: session.userId,
        detail: { session: id, clients: ended.clientIds },
        ...by,
      })
    })
  },

  async endOthers(userId, sessionUid, by) {
    const own = await source.findSession(sessionUid)
    await storage.transaction(async (db) => {
      await source.endOthersOfUser(db, userId, { sessionUid })
      // What is remembered for a page belongs to the hash of its session.
      await attempts.endOfUser(db, userId, [hashSecret(sessionUid)])
      await devices.forgetOthers(db, userId, own?.deviceHash)
      await endPendingAddress(db, userId)
      await audit.recordIn(db, { action: 'sessions.others_ended', outcome: 'success', userId, ...by })
    })
  },

  async endAll(userId, by) {
    await storage.transaction(async (db) => {
      await source.endEverythingOfUser(db, userId)
      await attempts.endOfUser(db, userId)
      await devices.forgetOthers(db, userId, undefined)
      await endPendingAddress(db, userId)
      await audit.recordIn(db, { action: 'sessions.all_ended', outcome: 'success', userId, ...by })
    })
  },
})
