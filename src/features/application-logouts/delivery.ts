import { after } from '../../kernel/clock.ts'
import type { Delivery } from '../feature.ts'
import { type LogoutAnswer, type Parts, type SendLogout, topic } from './application-logouts.ts'
import type { State, StoredTelling } from './telling.ts'

/** For so long an application that did not answer is left alone, so that the others do not wait behind it. */
const restSeconds = 10
const maximumReasonLength = 300

const outcomes: Readonly<Record<LogoutAnswer, { readonly state: State; readonly reason: string | null }>> = {
  told: { state: 'delivered', reason: null },
  refused: { state: 'refused', reason: 'The application refused the logout token (status 400).' },
  'not-wanted': {
    state: 'failed',
    reason: 'The application is gone, disabled, or has no address for it any more.',
  },
}

export interface LogoutDelivery extends Delivery {
  connect(send: SendLogout): void
}

/** One attempt for each time that the outbox hands a telling out. */
export function openDelivery({ store, clock, audit }: Parts): LogoutDelivery {
  const restUntil = new Map<string, Date>()
  let send: SendLogout | undefined

  async function end(telling: StoredTelling, state: State, reason: string | null): Promise<void> {
    const now = clock.now()
    // Whoever else delivers the same was first where it changes nothing.
    if (!(await store.end(telling.id, { state, reason, at: now }))) return
    const { clientId, userId, attempts } = telling
    await audit.record({
      action: state === 'delivered' ? 'application-logouts.told' : 'application-logouts.failed',
      outcome: state === 'delivered' ? 'success' : 'failure',
      clientId,
      userId,
      detail: { attempts: attempts + 1, ...(reason !== null && { reason }) },
    })
  }

  async function failed(telling: StoredTelling, error: unknown): Promise<void> {
    const now = clock.now()
    const reason = reasonOf(error)
    if (now >= telling.triesUntil) return await end(telling, 'failed', reason)
    await store.note(telling.id, { reason, at: now })
    throw error
  }

  return {
    topic,
    connect(own) {
      send = own
    },
    async deliver(payload) {
      const telling = await store.find((payload as { id: string }).id)
      if (telling?.state !== 'waiting') return
      if (send === undefined) throw new Error('This process serves nobody, so it cannot tell applications.')
      const rest = restUntil.get(telling.clientId)
      if (rest !== undefined && rest > clock.now() && clock.now() < telling.triesUntil)
        throw new Error('The application did not answer a moment ago.')
      try {
        const { state, reason } = outcomes[await send(telling)]
        restUntil.delete(telling.clientId)
        await end(telling, state, reason)
      } catch (error) {
        restUntil.set(telling.clientId, after(clock.now(), restSeconds))
        await failed(telling, error)
      }
    },
  }
}

/** What the network said lies beneath what fetch says. */
function reasonOf(error: unknown): string {
  const told = error instanceof Error ? error : new Error(String(error))
  const beneath = told.cause instanceof Error ? `: ${told.cause.message}` : ''
  return `${told.message}${beneath}`
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, maximumReasonLength)
}
