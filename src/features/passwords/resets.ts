import { z } from 'zod'
import { after, type Clock } from '../../kernel/clock.ts'
import { systemActor } from '../../kernel/http.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Delivery } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { identifierMissing, noMail, type Passwords } from './passwords.ts'
import type { PasswordStore } from './store.ts'

export interface ResetDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: Pick<PasswordStore, 'countLinks'>
  readonly clock: Clock
  readonly users: Users
  readonly throttle: Throttle
  readonly mail: Mail
  readonly outbox: Outbox
}

const topic = 'passwords.reset'
const maximumIdentifierLength = 320

/** Beyond it the newest link stays good: whoever asks again and again cannot end it under its owner's hands. */
const linksPerHour = 5

const payloadSchema = z.strictObject({
  identifier: z.string(),
  locale: z.string(),
  request: z.strictObject({ requestId: z.string(), address: z.string(), userAgent: z.string() }),
})

/**
 * What a request does is the same for every account, known or not: it is counted and put down. Whether there is such a
 * person is looked up later, where nobody waits for the answer.
 */
export const resetRequests =
  ({ storage, users, throttle, mail, outbox }: ResetDependencies): Passwords['requestReset'] =>
  async ({ identifier, request, locale }) => {
    if (!mail.available) throw noMail()
    const typed = identifier.trim()
    if (typed === '' || typed.length > maximumIdentifierLength || !typed.isWellFormed())
      throw identifierMissing()
    const account = users.canonicalIdentifier(typed)
    await throttle.admit({ asking: 'reset', account, address: request.address })
    const payload = { identifier: typed, request, locale } satisfies z.infer<typeof payloadSchema>
    await storage.transaction((db) => outbox.put(db, topic, payload))
  }

/** Makes the link and mails it. Done twice it mails twice, and the second link is the one that works. */
export const resetDelivery = (
  dependencies: ResetDependencies,
  issueLink: Passwords['issueLink'],
): Delivery => ({
  topic,
  async deliver(payload) {
    const { store, clock, users } = dependencies
    const { identifier, locale, request } = payloadSchema.parse(payload)
    const user = await users.findByIdentifier(identifier)
    if (!users.isActive(user) || user.email === null) return
    if ((await store.countLinks(user.id, 'reset', after(clock.now(), -3_600))) >= linksPerHour) return
    await issueLink(user.id, 'reset', { actor: systemActor, request, mail: true, locale })
  },
})
