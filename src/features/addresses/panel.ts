import type { ActOutcome, Panel, Visit } from '../feature.ts'
import type { Users } from '../users/index.ts'
import type { Addresses, Asker } from './addresses.ts'

export interface PanelDependencies {
  readonly users: Users
  readonly addresses: Addresses
}

const askerOf = ({ userId, holder, sessionUid, request, locale }: Visit): Asker => ({
  userId,
  owner: holder.id,
  sessionUid,
  request,
  locale,
})

const sent = async (work: Promise<void>): Promise<ActOutcome> => {
  await work
  return { notice: { key: 'addresses.sent' } }
}

/** A person's own address: what it is, whether it is confirmed, and which one is to take its place. */
export function addressPanel({ users, addresses }: PanelDependencies): Panel {
  return {
    name: 'address',
    page: 'profile',
    order: 20,

    async show(visit) {
      const { email, emailVerified } = await users.get(visit.userId)
      const pending = await pendingIn(addresses, visit, email)
      const model = { email: email ?? '', verified: emailVerified, available: addresses.available, pending }
      return { template: 'addresses/panel', model }
    },

    pages: {
      change: {
        fresh: true,
        title: 'addresses.change-title',
        async show({ userId }) {
          const { email } = await users.get(userId)
          return {
            template: 'addresses/change',
            model: { email: email ?? '', available: addresses.available },
          }
        },
      },
    },

    acts: acts(addresses),
  }
}

/** What the page says of an address that waits to be confirmed; its code can be typed only where it was asked for. */
async function pendingIn(addresses: Addresses, visit: Visit, email: string | null) {
  const pending = await addresses.find(visit.userId)
  if (pending === undefined) return undefined
  const isHere = await addresses.isCodeSent(askerOf(visit))
  return { ...pending, isHere, isChange: pending.email !== email }
}

/**
 * Only what asks for another address needs a fresh proof of who it is: the code that is typed afterwards came by a mail
 * that may take longer than that lasts, and works in the session that asked alone.
 */
const acts = (addresses: Addresses): NonNullable<Panel['acts']> => ({
  change: {
    fresh: true,
    page: 'change',
    run: (visit, { email = '' }) => sent(addresses.askToChange(askerOf(visit), email)),
  },
  verify: { run: (visit) => sent(addresses.askToVerify(askerOf(visit))) },
  again: { run: (visit) => sent(addresses.askAgain(askerOf(visit))) },
  confirm: {
    async run(visit, { code = '' }) {
      await addresses.confirmByCode(askerOf(visit), code)
      return { notice: { key: 'addresses.confirmed' } }
    },
  },
  cancel: {
    async run(visit) {
      await addresses.cancel(askerOf(visit))
      return { notice: { key: 'addresses.cancelled' } }
    },
  },
})
