import type { Adapter, AdapterPayload } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Artefacts } from '../artefacts/artefacts.ts'
import type { Payload } from '../artefacts/payload.ts'
import { openRowLoader } from '../artefacts/row-loader.ts'
import { foundRows, readRow } from '../artefacts/rows.ts'
import { openStoredForm } from '../artefacts/stored-artefact.ts'
import { isExpired, isRetried } from '../device/codes.ts'
import { openAnswering } from '../device/rows.ts'

const model = 'BackchannelAuthenticationRequest'
/** Nobody reads a longer list, and nobody should be asked so often. */
const listedAtMost = 50

export interface BackchannelRowDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  readonly artefacts: Pick<Artefacts, 'save' | 'consume'>
}

/** A stored request that waits: its name on pages and its payload, with the identifier by which its application knows it. */
export interface StoredRequest {
  readonly id: string
  readonly payload: Payload
}

/** Requests as the library stores them. The first answer counts, whoever gives it and wherever. */
export function openBackchannelRequests(dependencies: BackchannelRowDependencies): Partial<Adapter> {
  const { storage, clock, artefacts } = dependencies
  const answer = openAnswering(storage, model)
  const { rowOf, artefactOf } = openStoredForm(dependencies)
  const load = openRowLoader(storage, foundRows)
  return {
    async upsert(id, given, ttlSeconds) {
      const payload = given as Payload
      const artefact = { id, payload, ttlSeconds }
      if (payload.grantId === undefined && payload.error === undefined) await artefacts.save(model, artefact)
      else if (!(await answer(rowOf(model, artefact), clock.now()))) throw requestGone()
    },

    /** Expired ones too: the library tells the application that it took too long. */
    async find(id) {
      const row = readRow(await load({ model, id: hashSecret(id) }))
      if (row === undefined || isRetried(row, clock.now())) return undefined
      const payload = artefactOf(row, id)
      return (isExpired(row, clock.now()) ? { ...payload, exp: 1 } : payload) as AdapterPayload
    },

    async consume(id) {
      if (!(await artefacts.consume(model, id)))
        throw new errors.InvalidGrant('backchannel authentication request already consumed')
    },
  }
}

/** Those of a person that nobody has answered, the oldest first. */
export async function waitingRequests(
  { storage, clock, sealing }: Omit<BackchannelRowDependencies, 'artefacts'>,
  userId: string,
): Promise<readonly StoredRequest[]> {
  const { artefactOf } = openStoredForm({ clock, sealing })
  const rows = await storage.db.artefact.findMany({
    where: { model, userId, version: 0, consumedAt: null, expiresAt: { gt: clock.now() } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: listedAtMost,
  })
  return rows.map((row) => ({ id: row.id, payload: artefactOf(row) }))
}

/** Whether the application can still fetch what came of a request. */
export async function isUnclaimed(
  { storage, clock }: Pick<BackchannelRowDependencies, 'storage' | 'clock'>,
  authReqId: string,
): Promise<boolean> {
  const where = { model, id: hashSecret(authReqId), consumedAt: null, expiresAt: { gt: clock.now() } }
  return (await storage.db.artefact.count({ where })) > 0
}

export const requestGone = (): AppError =>
  new AppError(
    'approvals.gone',
    404,
    'Nothing waits for an answer here any more. It was answered already, or it took too long.',
  )
