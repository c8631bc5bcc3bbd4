import type { EndedSession, Kept } from '../../features/feature.ts'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import { endGrants, removeAll } from '../grants/ending.ts'
import type { SessionLimits } from '../lifetimes.ts'
import { applyingLimits } from './limits.ts'

/** Sessions that end before their time or by it, what was given in them, and who is told. */
export interface SessionEndings {
  /**
   * Ends a session, the interactions begun in it and what was given in it; with `offlineAccess` also what was given to
   * outlive it. With `userId` only if it is his. `undefined` where there is no such session.
   */
  endSession(
    db: DatabaseTransaction,
    uid: string,
    options: { readonly offlineAccess: boolean; readonly userId?: string },
  ): Promise<EndedSession | undefined>
  /**
   * Ends at most one batch of sessions that ran out, by limits that were narrowed since, too, and tells of them; true when
   * more may be left.
   */
  endExpiredSessions(): Promise<boolean>
  /** Everything that serves a user: sessions, tokens, codes, pending interactions. In the transaction of its cause. */
  endEverythingOfUser(db: DatabaseTransaction, userId: string): Promise<void>
  /** The same but for one session, what was given in it, and one pending interaction. */
  endOthersOfUser(db: DatabaseTransaction, userId: string, keep: Kept): Promise<void>
  /** Whether the session is there and his; whoever is to rely on it has locked the user. */
  isSessionOpen(db: DatabaseTransaction, uid: string, userId: string): Promise<boolean>
}

/** Told of the sessions that are ended, in the transaction that ends them. */
export type SessionsEnded = (db: DatabaseTransaction, ended: readonly EndedSession[]) => Promise<void>

export interface SessionEndingDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sessionsEnded: SessionsEnded
  readonly settings: SessionLimits
}

const browserBound = ['Session', 'Interaction']

export function openSessionEndings(dependencies: SessionEndingDependencies): SessionEndings {
  const { storage, sessionsEnded } = dependencies
  const locked = locking(storage)

  return {
    // The user first, as whoever ends all of his does: otherwise both tell of the same session.
    async endSession(db, uid, options) {
      const where = { model: 'Session', sessionUid: uid }
      const { userId } = (await db.artefact.findFirst({ where, select: { userId: true } })) ?? {}
      if (userId) await locked.user(db, userId)
      return await endingSession(locked.session, sessionsEnded)(db, uid, options)
    },

    endExpiredSessions: endingExpired(dependencies, locked),

    async endEverythingOfUser(db, userId) {
      await locked.user(db, userId)
      const ended = await sessionsOf(db, { userId })
      await removeAll(db, { userId })
      await sessionsEnded(db, sessionsIn(ended))
    },

    endOthersOfUser: endingOthers(locked.user, sessionsEnded),

    isSessionOpen: async (db, sessionUid, userId) =>
      (await db.artefact.count({ where: { model: 'Session', sessionUid, userId } })) > 0,
  }
}

const endingOthers =
  (
    lock: (db: DatabaseTransaction, userId: string) => Promise<void>,
    sessionsEnded: SessionsEnded,
  ): SessionEndings['endOthersOfUser'] =>
  async (db, userId, { sessionUid, interactionUid }) => {
    await lock(db, userId)
    const all = await sessionsOf(db, { userId })
    const grantIds = all
      .filter(({ session }) => session.sessionUid === sessionUid)
      .flatMap(({ grants }) => grants.map(({ grantId }) => grantId))
    // Said positively, as SQL's NOT of a comparison with NULL is not true.
    await db.artefact.deleteMany({
      where: {
        userId,
        model: { in: browserBound },
        ...(sessionUid === undefined
          ? {}
          : { OR: [{ sessionUid: null }, { sessionUid: { not: sessionUid } }] }),
        ...(interactionUid === undefined ? {} : { id: { not: hashSecret(interactionUid) } }),
      },
    })
    await db.artefact.deleteMany({
      where: { userId, model: 'Grant', id: { notIn: grantIds.map(hashSecret) } },
    })
    await db.artefact.deleteMany({
      where: {
        userId,
        model: { notIn: [...browserBound, 'Grant'] },
        OR: [{ grantId: null }, { grantId: { notIn: grantIds } }],
      },
    })
    await sessionsEnded(
      db,
      sessionsIn(all).filter((session) => session.sessionUid !== sessionUid),
    )
  }

/**
 * On PostgreSQL, rows that one transaction looks at before it ends them, so that none changes in between and two that end
 * the same follow each other. SQLite has one writer at a time.
 */
const locking = ({ dialect }: Storage) => ({
  user: (db: DatabaseTransaction, userId: string): Promise<void> => lockUser(dialect, db, userId),
  async session(db: DatabaseTransaction, uid: string): Promise<void> {
    if (dialect === 'postgresql')
      await db.$queryRaw`SELECT 1 AS locked FROM artefact WHERE model = 'Session' AND session_uid = ${uid} FOR UPDATE`
  },
})

const endingSession =
  (
    lock: (db: DatabaseTransaction, uid: string) => Promise<void>,
    sessionsEnded: SessionsEnded,
  ): SessionEndings['endSession'] =>
  async (db, uid, { offlineAccess, userId }) => {
    await lock(db, uid)
    const [found] = await sessionsOf(db, { sessionUid: uid, ...(userId !== undefined && { userId }) })
    if (found === undefined) return undefined
    const { session, grants } = found
    const given = offlineAccess
      ? await db.artefact.findMany({
          where: { sessionUid: uid, grantId: { not: null }, model: { not: 'Interaction' } },
          select: { grantId: true },
          distinct: ['grantId'],
        })
      : []
    const ending = grants.filter(({ outlives }) => offlineAccess || !outlives)
    await db.artefact.deleteMany({ where: { sessionUid: uid, model: { in: browserBound } } })
    await endGrants(
      db,
      [...ending, ...given].flatMap(({ grantId }) => grantId ?? []),
    )
    if (session.userId !== '') await sessionsEnded(db, [session])
    return session
  }

const expiredBatch = 100

/**
 * A session that ran out is worth nothing already, and what was given in it neither; only its row goes, once its
 * applications are told. Pending sign-ins that began in it may still be finished.
 */
const endingExpired = (
  { storage, clock, settings, sessionsEnded }: SessionEndingDependencies,
  locked: ReturnType<typeof locking>,
): SessionEndings['endExpiredSessions'] => {
  const applyLimits = applyingLimits(storage, settings)
  return async () => {
    const { more } = await applyLimits()
    const expired = { model: 'Session', expiresAt: { lte: clock.now() }, userId: { not: null } }
    const rows = await storage.db.artefact.findMany({
      where: expired,
      select: { sessionUid: true, userId: true },
      take: expiredBatch,
    })
    for (const { sessionUid, userId } of rows) {
      await storage.transaction(async (db) => {
        await locked.user(db, userId ?? '')
        await locked.session(db, sessionUid ?? '')
        // Used again or ended by somebody meanwhile.
        const [found] = await sessionsOf(db, { ...expired, sessionUid: sessionUid ?? '' })
        if (found === undefined) return
        await db.artefact.deleteMany({ where: { ...expired, sessionUid } })
        await sessionsEnded(db, [found.session])
      })
    }
    return more || rows.length === expiredBatch
  }
}

interface FoundSession {
  readonly session: EndedSession
  readonly grants: readonly { readonly grantId: string; readonly outlives: boolean }[]
}

const sessionsIn = (found: readonly FoundSession[]): readonly EndedSession[] =>
  found.map(({ session }) => session)

interface Authorization {
  readonly sid?: string
  readonly grantId?: string
  readonly persistsLogout?: boolean
}

/** Whoever was asked for but refused, or never allowed, has got no ID token and knows nothing of the session. */
const sidsOf = (authorizations: Readonly<Record<string, Authorization>>): EndedSession['sids'] =>
  Object.fromEntries(
    Object.entries(authorizations).flatMap(([clientId, { sid, grantId }]) =>
      sid === undefined || grantId === undefined ? [] : [[clientId, sid]],
    ),
  )

/** Sessions with the grants that were given in them. */
async function sessionsOf(
  db: DatabaseTransaction,
  where: {
    readonly userId?: string | { readonly not: null }
    readonly sessionUid?: string
    readonly expiresAt?: { readonly lte: Date }
  },
): Promise<readonly FoundSession[]> {
  const rows = await db.artefact.findMany({
    where: { ...where, model: 'Session' },
    select: { payload: true, sessionUid: true, userId: true },
  })
  return rows.map(({ payload, sessionUid, userId }) => {
    const { authorizations = {} } = JSON.parse(payload) as {
      authorizations?: Readonly<Record<string, Authorization>>
    }
    return {
      session: {
        userId: userId ?? '',
        sessionUid: sessionUid ?? '',
        clientIds: Object.keys(authorizations),
        sids: sidsOf(authorizations),
      },
      grants: Object.values(authorizations).flatMap(({ grantId, persistsLogout = false }) =>
        grantId === undefined ? [] : [{ grantId, outlives: persistsLogout }],
      ),
    }
  })
}
