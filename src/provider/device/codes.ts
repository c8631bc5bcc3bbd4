import { createHmac } from 'node:crypto'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Artefacts } from '../artefacts/artefacts.ts'
import type { Payload } from '../artefacts/payload.ts'
import type { FoundRow } from '../artefacts/rows.ts'
import { openStoredForm } from '../artefacts/stored-artefact.ts'
import { openDeviceRows } from './rows.ts'

const model = 'DeviceCode'

/**
 * A device whose answer got lost polls once more, and one may poll twice at once: within this time a code that was redeemed
 * is refused and no more; later somebody else has it, and what it gave ends.
 */
const retryMilliseconds = 2_000

/** What stops a person on the way and says nothing about the device: it goes on waiting, and the code can be typed again. */
const passing = new Set(['server_error', 'temporarily_unavailable', 'invalid_request'])

export interface DeviceCodeDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  readonly artefacts: Pick<Artefacts, 'save' | 'consume'>
}

/**
 * Device codes as the library stores them (RFC 8628). A user code is short, so that a plain hash of it would be found by
 * trying: it is looked up by an HMAC whose key is not in the database, and sealed where it is to be shown again.
 */
export function openDeviceCodes(dependencies: DeviceCodeDependencies): Partial<Adapter> {
  const { storage, clock, artefacts } = dependencies
  const rows = openDeviceRows(storage)
  const { rowOf, artefactOf } = openStoredForm(dependencies)
  const codes = openUserCodes(dependencies.sealing)

  const expired = (row: FoundRow): boolean => isExpired(row, clock.now())
  const read = (row: FoundRow, id?: string): AdapterPayload => {
    const payload = codes.readable(artefactOf(row, id), row.id)
    // Our clock decides, as in every query.
    return (expired(row) ? { ...payload, exp: 1 } : payload) as AdapterPayload
  }

  return {
    async upsert(id, given, expiresIn) {
      const payload = given as Payload
      const artefact = { id, payload: codes.stored(payload, hashSecret(id)), ttlSeconds: expiresIn }
      if (payload.accountId === undefined && payload.error === undefined) {
        // That somebody is about to decide is nothing to store: he may turn back, or try again in another tab.
        if (payload.inFlight !== true) await artefacts.save(model, artefact)
        return
      }
      if (passing.has(String(payload.error))) return
      if (!(await rows.answer(rowOf(model, artefact), clock.now()))) throw new AlreadyAnswered()
    },

    async find(id) {
      const row = await rows.find(id)
      if (row === undefined || isRetried(row, clock.now())) return undefined
      return read(row, id)
    },

    async findByUserCode(userCode) {
      const found = await rows.findByUserCode(codes.keyOf(userCode))
      const [row] = found
      // Two devices that wait with one code: nobody could say which of them he means.
      if (row === undefined || (found.length === 2 && found.every((each) => !expired(each)))) return undefined
      return read(row)
    },

    async consume(id) {
      if (!(await artefacts.consume(model, id))) throw new errors.InvalidGrant('device code already consumed')
    },
  }
}

/** Somebody was faster, or the code has expired meanwhile. */
export class AlreadyAnswered extends errors.InvalidRequest {
  constructor() {
    super('the device code was answered already')
  }
}

export const isExpired = ({ expiresAt }: FoundRow, now: Date): boolean =>
  expiresAt !== null && expiresAt <= now

export const isRetried = ({ consumedAt }: FoundRow, now: Date): boolean =>
  consumedAt !== null && now.getTime() - consumedAt.getTime() <= retryMilliseconds

function openUserCodes(sealing: Sealing) {
  const key = sealing.derive('user-code')
  const keyOf = (userCode: string): string => createHmac('sha256', key).update(userCode).digest('base64url')
  const place = (hash: string): string => `artefact:${model}:${hash}:payload.sealedUserCode`

  return {
    keyOf,

    stored: ({ inFlight: _, ...payload }: Payload, hash: string): Payload => ({
      ...payload,
      userCode: keyOf(String(payload.userCode)),
      sealedUserCode: sealing.seal(String(payload.userCode), place(hash)),
    }),

    readable: ({ sealedUserCode, ...payload }: Payload, hash: string): Payload => ({
      ...payload,
      userCode: sealing.open(String(sealedUserCode), place(hash)),
    }),
  }
}
