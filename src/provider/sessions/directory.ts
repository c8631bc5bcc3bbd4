import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Payload } from '../artefacts/payload.ts'
import { isOver } from '../lifetimes.ts'
import type { settings } from '../settings.ts'
import { factsOf } from './facts.ts'

/** A session in which somebody is signed in. */
export interface KnownSession {
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
  /** The clients that signed the person in through it, and may still do what he allowed them. */
  readonly clientIds: readonly string[]
}

/** What a client holds of a user: all of his grants to it together. */
export interface KnownAccess {
  readonly clientId: string
  readonly since: Date
  /** When a code or token was last given; `undefined` where none is kept. */
  readonly lastUsedAt: Date | undefined
  readonly scopes: readonly string[]
  /** API scopes by resource indicator. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

/** Who is signed in where, and what clients hold of somebody. */
export interface SessionDirectory {
  /** Live sessions, the last used first. */
  sessionsOfUser(userId: string): Promise<readonly KnownSession[]>
  /** Whose session it is, if it is live. */
  findSession(uid: string): Promise<KnownSession | undefined>
  accessOfUser(userId: string): Promise<readonly KnownAccess[]>
}

interface DirectoryDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly settings: SettingValues<typeof settings>
}

export function openSessionDirectory({
  storage: { db },
  clock,
  settings,
}: DirectoryDependencies): SessionDirectory {
  async function live(where: { readonly userId?: string; readonly sessionUid?: string }) {
    const now = clock.now()
    const rows = await db.artefact.findMany({
      where: { ...where, model: 'Session', expiresAt: { gt: now } },
      select: { payload: true, createdAt: true },
    })
    const sessions = rows.flatMap(({ payload, createdAt }) => {
      const session = JSON.parse(payload) as Payload
      return isOver(settings, session, now) || session.accountId === undefined ? [] : [{ session, createdAt }]
    })
    const grants = await liveGrants(sessions.flatMap(({ session }) => grantIdsOf(session)))
    return sessions
      .map(({ session, createdAt }) => described(session, createdAt, grants))
      .toSorted((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime())
  }

  async function liveGrants(grantIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await db.artefact.findMany({
      where: { model: 'Grant', id: { in: grantIds.map(hashSecret) } },
      select: { id: true },
    })
    return new Set(rows.map(({ id }) => id))
  }

  return {
    sessionsOfUser: (userId) => live({ userId }),
    findSession: async (uid) => (await live({ sessionUid: uid }))[0],
    accessOfUser: accessOf(db, clock),
  }
}

type Authorizations = Readonly<Record<string, { readonly grantId?: string }>>

const authorizationsOf = ({ authorizations = {} }: Payload): Authorizations =>
  authorizations as Authorizations

const grantIdsOf = (session: Payload): readonly string[] =>
  Object.values(authorizationsOf(session)).flatMap(({ grantId }) => grantId ?? [])

function described(session: Payload, createdAt: Date, grants: ReadonlySet<string>): KnownSession {
  const { signedInAt, lastUsedAt, userAgent = '', address, deviceHash } = factsOf(session) ?? {}
  const {
    uid,
    accountId,
    loginTs,
    amr = [],
    transient,
  } = session as {
    uid: string
    accountId: string
    loginTs?: number
    amr?: readonly string[]
    transient?: boolean
  }
  const authenticatedAt = loginTs === undefined ? createdAt : new Date(loginTs * 1000)
  return {
    uid,
    userId: accountId,
    signedInAt: signedInAt === undefined ? authenticatedAt : new Date(signedInAt),
    authenticatedAt,
    lastUsedAt: lastUsedAt === undefined ? authenticatedAt : new Date(lastUsedAt),
    kept: transient !== true,
    amr,
    userAgent,
    ...(address !== undefined && { address }),
    ...(deviceHash !== undefined && { deviceHash }),
    clientIds: Object.entries(authorizationsOf(session)).flatMap(([clientId, { grantId }]) =>
      grantId !== undefined && grants.has(hashSecret(grantId)) ? [clientId] : [],
    ),
  }
}

/** A grant as the library stores it. */
interface StoredGrant {
  readonly openid?: { readonly scope?: string }
  readonly resources?: Readonly<Record<string, string>>
}

const given = ['AuthorizationCode', 'AccessToken', 'RefreshToken']
const words = (text = ''): readonly string[] => text.split(' ').filter((word) => word !== '')
const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])]

const accessOf =
  (db: Storage['db'], clock: Clock): SessionDirectory['accessOfUser'] =>
  async (userId) => {
    const rows = await db.artefact.findMany({
      where: { userId, model: 'Grant', clientId: { not: null }, expiresAt: { gt: clock.now() } },
      select: { clientId: true, payload: true, createdAt: true },
      orderBy: { createdAt: 'asc' },
    })
    const uses = await db.artefact.groupBy({
      by: ['clientId'],
      where: { userId, model: { in: given } },
      _max: { createdAt: true },
    })
    const lastUses = new Map(uses.map(({ clientId, _max }) => [clientId, _max.createdAt ?? undefined]))
    const access = new Map<string, KnownAccess>()
    for (const { clientId, payload, createdAt } of rows) {
      if (clientId === null) continue
      const { openid, resources = {} } = JSON.parse(payload) as StoredGrant
      const before = access.get(clientId)
      access.set(clientId, {
        clientId,
        since: before?.since ?? createdAt,
        lastUsedAt: lastUses.get(clientId),
        scopes: union(before?.scopes ?? [], words(openid?.scope)),
        resources: mergedResources(before?.resources ?? {}, resources),
      })
    }
    return [...access.values()]
  }

const mergedResources = (
  before: KnownAccess['resources'],
  added: Readonly<Record<string, string>>,
): KnownAccess['resources'] => {
  const more = Object.entries(added).map(
    ([indicator, scope]) => [indicator, union(before[indicator] ?? [], words(scope))] as const,
  )
  return { ...before, ...Object.fromEntries(more) }
}
