import { groupedCode } from '../../kernel/mailed-codes.ts'
import type { Audit } from '../audit/index.ts'
import type { Delivery } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { User, Users } from '../users/index.ts'
import { type CodeToSend, topic } from './email-codes.ts'
import type { Memory } from './memory.ts'
import type { Origins } from './origins.ts'

export interface DeliveryDependencies {
  readonly memory: Memory
  readonly users: Users
  readonly mail: Mail
  readonly audit: Audit
  readonly issuer: string
  readonly settings: { readonly codeSeconds: number }
  readonly origins: Origins
}

/** Mails a code once the request that asked for it was answered; only here does it matter whether there is anybody. */
export function codeDelivery(dependencies: DeliveryDependencies): Delivery {
  const { memory, users, audit } = dependencies
  const send = sending(dependencies)

  return {
    topic,
    async deliver(payload) {
      const work = payload as CodeToSend
      const { userId, email, codeId, attemptId, clientId, userAgent, address, requestId } = work
      if (userId === undefined || email === undefined) return
      const user = await users.find(userId)
      const code = await memory.code(attemptId)
      // Ended, replaced, or about an address or a person that is no more.
      if (!users.isActive(user) || user.email !== email || code?.id !== codeId) return
      await send(work, user, email)
      const request = { requestId, address, userAgent }
      await audit.record({ action: 'email-codes.sent', outcome: 'success', userId, clientId, request })
    },
  }
}

const sending = ({ mail, issuer, settings, origins }: DeliveryDependencies) => {
  return async (work: CodeToSend, user: User, to: string): Promise<void> => {
    const { application, place, at } = await origins(work)
    await mail.send({
      to,
      userId: user.id,
      template: 'email-code',
      model: { application, minutes: Math.ceil(settings.codeSeconds / 60) },
      facts: [
        ...(place === undefined ? [] : [{ label: 'email-codes.browser', value: place }]),
        { label: 'email-codes.begun', value: at },
      ],
      ...(user.zoneinfo !== null && { zone: user.zoneinfo }),
      link: `${issuer}/link/email-code?token=${work.token}`,
      code: groupedCode(work.code),
      locale: user.locale ?? work.locale,
      isVouched: work.isVouched,
    })
  }
}
