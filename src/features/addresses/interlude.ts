import { z } from 'zod'
import type { Interlude, ProvenAttempt } from '../feature.ts'
import type { Users } from '../users/index.ts'
import { type Addresses, type Asker, codeIncomplete } from './addresses.ts'

export interface InterludeDependencies {
  readonly users: Users
  readonly addresses: Addresses
}

const inputSchema = z.object({ code: z.string().max(100).optional(), send: z.string().optional() })

const askerOf = ({ id, userId, request, locale }: ProvenAttempt): Asker => ({
  userId,
  owner: id,
  request,
  locale,
})

/** Whoever has not confirmed his address does it before his sign-in ends, with a code that only works in it. */
export function verifyAddress({ users, addresses }: InterludeDependencies): Interlude {
  return {
    name: 'verify-address',
    order: 20,

    async due({ userId }) {
      const user = await users.find(userId)
      return addresses.available && user !== undefined && user.email !== null && !user.emailVerified
    },

    async show({ id, userId }) {
      const { email } = await users.get(userId)
      const waiting = await addresses.isCodeSent({ userId, owner: id })
      return { template: 'addresses/verify', model: { email: email ?? '', waiting } }
    },

    async finish(attempt, input) {
      const { userId } = attempt
      // The link of the same mail may have confirmed it meanwhile, in whichever browser.
      if ((await users.get(userId)).emailVerified) return
      const parsed = inputSchema.safeParse(input)
      if (!parsed.success) throw codeIncomplete()
      const { code = '', send } = parsed.data
      if (send === undefined) await addresses.confirmByCode(askerOf(attempt), code)
      else await addresses.askToVerify(askerOf(attempt))
      return send === undefined ? undefined : 'again'
    },
  }
}
