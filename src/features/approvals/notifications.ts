import { AppError } from '../../kernel/errors.ts'
import type { Delivery } from '../feature.ts'
import type { ApprovalDependencies, Notification } from './approvals.ts'

export const notificationTopic = 'approval_answered'

/**
 * Tells applications that there is an answer to ask for (CIBA Core 1.0 §10.2). They poll in any case, so one that is away
 * misses nothing; it is tried again as long as there is something to be had.
 */
export const notificationDelivery = ({
  clock,
  client,
  fetch,
}: Pick<ApprovalDependencies, 'clock' | 'client' | 'fetch'>): Delivery => ({
  topic: notificationTopic,
  async deliver(payload, signal) {
    const { clientId, endpoint, token, authReqId, expiresAt } = payload as Notification
    if (new Date(expiresAt) <= clock.now() || (await client(clientId)) === undefined) return
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
