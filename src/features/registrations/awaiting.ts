import { hashSecret, isSecret, newSecret } from '../../kernel/ids.ts'
import { answersPerMailedCode, groupedCode, newMailedCode } from '../../kernel/mailed-codes.ts'
import type { Challenges } from '../attempts/index.ts'
import type { Attempt } from '../feature.ts'
import type { Mail } from '../mail/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { type Awaited, nothingAwaited } from './registrations.ts'

/** What becomes an account once the code has been typed. */
export interface Pending {
  readonly email: string
  /** The form under which the address is unique. */
  readonly key: string
  readonly hash: string
  readonly kept: unknown
  /** The version of the terms that was accepted. */
  readonly terms?: string
  readonly invitationHash?: string
}

/** The same once its code is on the way. */
export interface Sent extends Pending {
  readonly code: string
  readonly linkHash: string
}

/** What the link in the mail leads to: the sign-in in which the account is made. */
export interface SentLink {
  readonly attemptId: string
  readonly path: string
  readonly code: string
  /** Of the browser in which it began. */
  readonly device?: string
}

export interface AwaitingDependencies {
  readonly challenges: Challenges
  readonly users: Pick<Users, 'findByIdentifier'>
  readonly mail: Mail
  readonly throttle: Throttle
  readonly settings: { readonly codeSeconds: number }
  readonly issuer: string
}

/** Accounts that wait for the code which was sent to their address. */
export interface Awaiting {
  /** Remembers what is to become an account, in place of what was remembered before, and sends the code. */
  send(attempt: Attempt, pending: Pending): Promise<void>
  /** Throws `registrations.nothing_awaited` (410) and `throttle.too_many_attempts` (429). */
  again(attempt: Attempt): Promise<void>
  find(attempt: Attempt): Promise<Awaited | undefined>
  peek(attemptId: string): Promise<Sent | undefined>
  /** Counts an answer before it is looked at; `undefined` once as many as are allowed were given. */
  answer(attemptId: string): Promise<Sent | undefined>
  /** Exactly once. */
  take(attemptId: string): Promise<Sent | undefined>
  link(token: string): Promise<SentLink | undefined>
  /** The link was opened in the browser in which it began: its page has the code already. */
  opened(link: SentLink): Promise<void>
}

const purposes = {
  code: 'registrations.code',
  link: 'registrations.link',
  opened: 'registrations.opened',
} as const

export function openAwaiting(dependencies: AwaitingDependencies): Awaiting {
  const { challenges, throttle, settings } = dependencies
  const ttlSeconds = settings.codeSeconds
  const send = sending(dependencies)
  const stateOf = <T>(found: { readonly state: unknown } | undefined) => found?.state as T | undefined
  const peek = async (attemptId: string): Promise<Sent | undefined> =>
    stateOf<Sent>(await challenges.find(attemptId, purposes.code))

  return {
    send,
    peek,
    async again(attempt) {
      const before = await peek(attempt.id)
      if (before === undefined) throw nothingAwaited()
      const { address } = attempt.request
      await throttle.admit({ asking: 'registration', account: before.key, address })
      const { code: _, linkHash: __, ...pending } = before
      await send(attempt, pending)
    },
    async find({ id }) {
      const sent = await peek(id)
      if (sent === undefined) return undefined
      const opened = stateOf<{ code: string }>(await challenges.find(id, purposes.opened))
      return { email: sent.email, ...(opened?.code === sent.code && { code: groupedCode(sent.code) }) }
    },
    answer: async (attemptId) =>
      stateOf<Sent>(await challenges.attempt(attemptId, purposes.code, answersPerMailedCode)),
    async take(attemptId) {
      const taken = stateOf<Sent>(await challenges.take(attemptId, purposes.code))
      if (taken !== undefined) await challenges.end(taken.linkHash, purposes.link)
      return taken
    },
    link: async (token) =>
      isSecret(token)
        ? stateOf<SentLink>(await challenges.find(hashSecret(token), purposes.link))
        : undefined,
    opened: ({ attemptId, code }) =>
      challenges.put(attemptId, purposes.opened, { state: { code }, ttlSeconds }),
  }
}

/** The same writes for an address that is known already: a code that nobody gets to see, and a mail with other words. */
const sending =
  ({ challenges, users, mail, settings, issuer }: AwaitingDependencies): Awaiting['send'] =>
  async ({ id, path, device, locale }, pending) => {
    const code = newMailedCode()
    const token = newSecret()
    const linkHash = hashSecret(token)
    const ttlSeconds = settings.codeSeconds
    const before = (await challenges.find(id, purposes.code))?.state as Sent | undefined
    if (before !== undefined) await challenges.end(before.linkHash, purposes.link)
    await challenges.put(id, purposes.code, {
      state: { ...pending, code, linkHash } satisfies Sent,
      ttlSeconds,
    })
    const link: SentLink = { attemptId: id, path, code, ...(device !== undefined && { device }) }
    await challenges.put(linkHash, purposes.link, { state: link, ttlSeconds })
    const owner = await users.findByIdentifier(pending.email)
    // Not under the account, which would cost one count more for those who have one.
    if (owner === undefined) {
      const url = `${issuer}/link/registration?token=${token}`
      await mail.send({
        to: pending.email,
        template: 'registration',
        code: groupedCode(code),
        link: url,
        locale,
      })
    } else {
      const url = `${issuer}/reset-password`
      await mail.send({ to: owner.email ?? pending.email, template: 'registration-known', link: url, locale })
    }
  }
