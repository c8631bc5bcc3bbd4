/**
 * Clients and resources on real storage, put together as the server does, with a clock that stands still.
 *
 *     await using parties = await openParties()
 */
import { openAudit } from '../../src/features/audit/index.ts'
import { openClients } from '../../src/features/clients/index.ts'
import { openResources } from '../../src/features/resources/index.ts'
import type { Log } from '../../src/kernel/log.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { fixedClock } from './clock.ts'
import { openTestStorage } from './storage.ts'

export interface KeepingLog extends Log {
  /** What was logged, so that a test can look for what must not be in it. */
  readonly lines: { readonly fields: object; readonly message: string }[]
}

export function keepingLog(): KeepingLog {
  const lines: KeepingLog['lines'] = []
  const keep = (fields: object, message: string): void => void lines.push({ fields, message })
  const log: KeepingLog = { lines, debug: keep, info: keep, warn: keep, error: keep, child: () => log }
  return log
}

const strict = { allowLegacy: false, allowHybrid: false }

/** The features of one process. */
export function partiesOn(storage: Storage, settings = strict) {
  const clock = fixedClock()
  const log = keepingLog()
  const { audit } = openAudit({ storage, clock, log, settings: { retentionSeconds: 86_400 } })
  const clients = openClients({
    serverChecks: [],
    describedClient: (_id, { stored }) => stored(),
    fetch: () => Promise.reject(new Error('Nothing is fetched here.')),
    findApi: (indicator) => resources.standingOf(indicator),
    settings,
    storage,
    clock,
    audit,
    /** What the artefact store does: nothing short-lived of the client stays. */
    endEverythingOfClient: async (db, clientId) => {
      await db.artefact.deleteMany({ where: { clientId } })
    },
  })
  const resources = openResources({
    storage,
    clock,
    audit,
    accessTokenMaximumSeconds: 86_400,
    defaultingClients: clients.defaultingTo,
  })
  return { clock, log, clients, resources }
}

export async function openParties() {
  const storage = await openTestStorage()
  return { ...partiesOn(storage), storage, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() }
}

export type Parties = Awaited<ReturnType<typeof openParties>>
