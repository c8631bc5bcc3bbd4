import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import { newMailedCode } from '../../kernel/mailed-codes.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Attempts, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Notices } from '../notices/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { User, Users } from '../users/index.ts'
import {
  type Addresses,
  type Asker,
  askedTooSoon,
  codePurpose,
  mailUnavailable,
  nothingToConfirm,
  type ProofToSend,
  type SentCode,
  sameAddress,
  topic,
} from './addresses.ts'
import type { AddressStore } from './store.ts'

export interface AskingDependencies {
  readonly transaction: Storage['transaction']
  readonly store: AddressStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly attempts: Pick<Attempts, 'requireOpen'>
  readonly challenges: Challenges
  readonly outbox: Outbox
  readonly notices: Notices
  readonly available: boolean
  readonly settings: { readonly proofSeconds: number; readonly againSeconds: number }
}

type Asking = Pick<Addresses, 'askToVerify' | 'askToChange' | 'askAgain'>

export function asking(dependencies: AskingDependencies): Asking {
  const { users, store, clock, settings } = dependencies
  const send = sending(dependencies)

  async function notTooSoon({ userId }: Asker, email: string): Promise<void> {
    const now = clock.now()
    const pending = await store.findOfUser(userId, now)
    if (pending === undefined || pending.email !== email) return
    const allowedAt = after(pending.createdAt, settings.againSeconds)
    const waiting = Math.ceil((allowedAt.getTime() - now.getTime()) / 1000)
    if (waiting > 0) throw askedTooSoon(waiting)
  }

  return {
    async askToVerify(asker) {
      const user = await users.get(asker.userId)
      if (!user.email || user.emailVerified) throw nothingToConfirm()
      await notTooSoon(asker, user.email)
      await send(asker, user, user.email)
    },
    async askToChange(asker, text) {
      const user = await users.get(asker.userId)
      const wanted = users.parseEmail(text)
      if (user.email !== null && users.parseEmail(user.email).key === wanted.key) throw sameAddress()
      await notTooSoon(asker, wanted.shown)
      await send(asker, user, wanted.shown)
    },
    async askAgain(asker) {
      const pending = await store.findOfUser(asker.userId, clock.now())
      const user = await users.get(asker.userId)
      if (pending === undefined || pending.previousEmail !== user.email) throw nothingToConfirm()
      await notTooSoon(asker, pending.email)
      await send(asker, user, pending.email)
    },
  }
}

/** Ends what was mailed before, and has a code and link mailed. */
const sending = (dependencies: AskingDependencies) => {
  const { transaction, store, clock, audit, outbox, notices, attempts, challenges, settings } = dependencies

  return async (asker: Asker, user: User, email: string): Promise<void> => {
    if (!dependencies.available) throw mailUnavailable()
    const { userId, owner, sessionUid, request, locale } = asker
    const { proofSeconds: ttlSeconds } = settings
    const token = newSecret()
    const sent: SentCode = { code: newMailedCode(), tokenHash: hashSecret(token) }
    const isChange = email !== user.email
    const at = clock.now()
    // First the code: one without its proof is worth nothing, while a proof whose code is missing could not be typed.
    await challenges.put(owner, codePurpose, { userId, state: sent, ttlSeconds })
    await transaction(async (db) => {
      await store.endOfUser(db, userId, at)
      await attempts.requireOpen(db, userId, sessionUid === undefined ? { attempt: owner } : { sessionUid })
      const times = { createdAt: at, expiresAt: after(at, ttlSeconds) }
      const own = { tokenHash: sent.tokenHash, userId, email, previousEmail: user.email }
      await store.insert(db, { ...own, sessionUid: sessionUid ?? null, ...times })
      const action = isChange ? 'addresses.change_asked' : 'addresses.confirmation_asked'
      const actor = { kind: 'user', userId } as const
      await audit.recordIn(db, { action, outcome: 'success', actor, userId, request })
      const work: ProofToSend = { userId, email, isChange, token, code: sent.code, locale }
      await outbox.put(db, topic, work)
      if (isChange && user.email !== null) {
        const what = 'address-change-asked'
        await notices.tell(db, { userId, what, params: { address: email }, request, to: [user.email] })
      }
    })
  }
}
