import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Delivery } from '../feature.ts'

/** An application wants to be told that its request was answered (CIBA Core 1.0 §10.2). */
export interface Notification {
  readonly clientId: string
  readonly endpoint: string
  readonly token: string
  readonly authReqId: string
  /** ISO 8601; afterwards there is nothing to be had. */
  readonly expiresAt: string
}

export interface NotificationDependencies {
  readonly clock: Clock
  readonly client: (id: string) => Promise<unknown>
  /** Whether there is still something to be had. */
  readonly isUnclaimed: (authReqId: string) => Promise<boolean>
  /** The guarded way out. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
}

export const notificationTopic = 'approval_answered'

/**
 * Tells applications that there is an answer to ask for (CIBA Core 1.0 §10.2). They poll in any case, so one that is away
 * misses nothing; it is tried again as long as there is something to be had.
 */
export const notificationDelivery = ({
  clock,
  client,
  isUnclaimed,
  fetch,
}: NotificationDependencies): Delivery => ({
  topic: notificationTopic,
  async deliver(payload, signal) {
    const { clientId, endpoint, token, authReqId, expiresAt } = payload as Notification
    if (new Date(expiresAt) <= clock.now() || (await client(clientId)) === undefined) return
    if (!(await isUnclaimed(authReqId))) return
    const response = await fetch(endpoint, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ auth_req_id: authReqId }),
      signal,
    })
    await response.body?.cancel()
    if (response.ok) return
    const message = `The application answered with ${response.status}; it has to answer with 204.`
    throw new AppError('approvals.notification_refused', response.status < 500 ? 400 : 502, message)
  },
})
