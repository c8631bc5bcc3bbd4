import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import { openSessionDirectory, type SessionDirectory } from '../sessions/directory.ts'
import type { SessionsEnded } from '../sessions/ending.ts'
import type { settings } from '../settings.ts'
import { removeExpired } from './expiry.ts'
import { type InteractionTrails, openInteractionTrails } from './interaction-trail.ts'
import type { Payload } from './payload.ts'
import { openRevocation, type Revocation } from './revocation.ts'
import { openArtefactRows } from './rows.ts'
import { type ArtefactWrite, openStoredForm } from './stored-artefact.ts'

/** What a grant gives to its client. */
const given = new Set(['AuthorizationCode', 'AccessToken', 'RefreshToken'])

/** Everything that the protocol stores and that expires: sessions, grants, codes, tokens, interactions, replay records. */
export interface Artefacts extends Revocation, InteractionTrails, SessionDirectory {
  /** A code or token whose grant has ended is not stored, and so is worth nothing. */
  save(model: string, artefact: ArtefactWrite): Promise<void>
  /** Changes one that is there; false where somebody has ended it. */
  rewrite(model: string, artefact: ArtefactWrite): Promise<boolean>
  /** False when the identifier was there already. */
  insertOnce(model: string, id: string, ttlSeconds: number): Promise<boolean>
  find(model: string, id: string): Promise<Payload | undefined>
  /** A consumed artefact, expired or not, as long as its row is kept. */
  findSpent(model: string, id: string): Promise<Payload | undefined>
  /** The session with this public identifier. */
  findSessionByUid(uid: string): Promise<Payload | undefined>
  /** One conditional write: true for exactly one of all callers. */
  consume(model: string, id: string): Promise<boolean>
  remove(model: string, id: string): Promise<void>
  /** Removes at most one batch of rows that have been expired for long; true when more may be left. */
  removeExpired(): Promise<boolean>
}

export interface ArtefactDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  readonly settings: SettingValues<typeof settings>
  readonly sessionsEnded: SessionsEnded
}

export function openArtefacts(dependencies: ArtefactDependencies): Artefacts {
  const { storage, clock, sealing, settings, sessionsEnded } = dependencies
  const rows = openArtefactRows(storage)
  const { rowOf, artefactOf } = openStoredForm({ clock, sealing })

  return {
    ...openRevocation({ storage, clock, settings, sessionsEnded }),
    ...openSessionDirectory({ storage, clock, settings }),
    ...openInteractionTrails(storage, clock),

    insertOnce(model, id, ttlSeconds) {
      const [createdAt, expiresAt] = [clock.now(), after(clock.now(), ttlSeconds)]
      return rows.insertOnce({ model, id: hashSecret(id), createdAt, expiresAt })
    },

    rewrite: (model, artefact) => rows.rewrite(rowOf(model, artefact)),

    async save(model, artefact) {
      const row = rowOf(model, artefact)
      const { grantId } = row
      if (given.has(model) && grantId !== null) await rows.insertUnderGrant({ ...row, grantId })
      else if (isAnswered(model, artefact.payload)) await rows.rewrite(row)
      else await rows.upsert(row)
    },

    async find(model, id) {
      const row = await rows.find(model, hashSecret(id))
      if (row === undefined || (row.expiresAt !== null && row.expiresAt <= clock.now())) return undefined
      if (model === 'Interaction' && row.consumedAt !== null) return undefined
      return artefactOf(row, id)
    },

    async findSpent(model, id) {
      const row = await rows.find(model, hashSecret(id))
      return row === undefined || row.consumedAt === null ? undefined : artefactOf(row, id)
    },

    async findSessionByUid(uid) {
      const row = await rows.findSession(uid, clock.now())
      return row === undefined ? undefined : artefactOf(row)
    },

    consume: (model, id) => rows.consume(model, hashSecret(id), clock.now()),

    async remove(model, id) {
      await storage.db.artefact.deleteMany({ where: { model, id: hashSecret(id) } })
    },

    removeExpired: () => removeExpired(storage, clock.now()),
  }
}

/** An interaction that its person has answered; it was stored before, so if it is gone somebody has ended it. */
const isAnswered = (model: string, { result }: Payload): boolean =>
  model === 'Interaction' && result !== undefined
