import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Payload } from './payload.ts'

export interface InteractionTrail {
  readonly clientId: string | undefined
  /** Still waiting for its person. */
  readonly pending: boolean
  /** Its person has ended it; otherwise time has. */
  readonly finished: boolean
  /** The parameters of the authorization request. */
  readonly params: Payload
  /** It was about a device (RFC 8628). */
  readonly forDevice: boolean
}

export interface InteractionTrails {
  /** Marks an interaction as ended; its row stays a while and tells which client it belonged to. */
  endInteraction(id: string): Promise<void>
  interactionTrail(id: string): Promise<InteractionTrail | undefined>
}

export function openInteractionTrails({ db }: Storage, clock: Clock): InteractionTrails {
  const model = 'Interaction'

  return {
    async endInteraction(id) {
      await db.artefact.updateMany({
        where: { model, id: hashSecret(id) },
        data: { consumedAt: clock.now(), userId: null },
      })
    },

    async interactionTrail(id) {
      const row = await db.artefact.findUnique({ where: { model_id: { model, id: hashSecret(id) } } })
      if (row === null) return undefined
      const pending = row.consumedAt === null && (row.expiresAt === null || row.expiresAt > clock.now())
      const { params, deviceCode } = JSON.parse(row.payload) as { params: Payload; deviceCode?: string }
      return {
        clientId: row.clientId ?? undefined,
        pending,
        finished: row.consumedAt !== null,
        params,
        forDevice: deviceCode !== undefined,
      }
    },
  }
}
