import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import { armed, disarmed } from './disarmed.ts'
import { type Payload, withoutIdentifier } from './payload.ts'
import { type ArtefactRow, type FoundRow, sealedRow } from './rows.ts'

/** An artefact as the library writes it; without `ttlSeconds` it does not expire. */
export interface ArtefactWrite {
  readonly id: string
  readonly payload: Payload
  readonly ttlSeconds: number | undefined
}

/** Models whose identifier must be restored without being presented, so it is stored sealed. */
const restored = new Set(['Session', 'DeviceCode', 'BackchannelAuthenticationRequest'])
const payloadRow = (id: string): string => `artefact:Interaction:${id}:payload`

/** How an artefact becomes a row and a row an artefact again: identifiers are bearer secrets, so none is stored readable. */
export const openStoredForm = ({ clock, sealing }: { readonly clock: Clock; readonly sealing: Sealing }) => ({
  rowOf(model: string, { id, payload, ttlSeconds }: ArtefactWrite): ArtefactRow {
    const hash = hashSecret(id)
    const kept = model === 'Interaction' ? disarmed(payload, id, { sealing, row: payloadRow(hash) }) : payload
    return {
      model,
      id: hash,
      createdAt: clock.now(),
      ...columnsOf(payload),
      payload: withoutIdentifier(kept),
      expiresAt: ttlSeconds === undefined ? null : after(clock.now(), ttlSeconds),
      sealedId: restored.has(model) ? sealing.seal(id, sealedRow(model, hash)) : null,
    }
  },

  /** `id` is the identifier that was presented; without one the row's sealed one is opened, if it has one. */
  artefactOf(row: FoundRow, id?: string): Payload {
    const jti =
      id ?? (row.sealedId === null ? undefined : sealing.open(row.sealedId, sealedRow(row.model, row.id)))
    const payload = {
      ...(JSON.parse(row.payload) as Payload),
      ...(jti === undefined ? undefined : { jti }),
      ...(row.consumedAt === null ? undefined : { consumed: Math.floor(row.consumedAt.getTime() / 1000) }),
    }
    if (row.model !== 'Interaction' || id === undefined) return payload
    return armed(payload, id, { sealing, row: payloadRow(row.id) })
  },
})

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** What listing, revocation and cleaning look for. */
function columnsOf(payload: Payload) {
  const session = payload.session as Payload | undefined
  const params = payload.params as Payload | undefined
  // Of an interaction: who has just signed in, before the session knows it.
  const { login } = (payload.result ?? {}) as { login?: Payload }
  return {
    // An exchanged token is kept under the grant that it came of.
    grantId: textOf(payload.grantId) ?? textOf((payload.origin as Payload | undefined)?.grantId),
    sessionUid: textOf(payload.sessionUid) ?? textOf(payload.uid) ?? textOf(session?.uid),
    userId: textOf(payload.accountId) ?? textOf(login?.accountId) ?? textOf(session?.accountId),
    clientId: textOf(payload.clientId) ?? textOf(params?.client_id),
    userCode: textOf(payload.userCode),
  }
}
