import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret, newId, newSecret } from '../../kernel/ids.ts'
import { newMailedCode } from '../../kernel/mailed-codes.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Attempt } from '../feature.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Subject as Counted, Throttle } from '../throttle/index.ts'
import type { User, Users } from '../users/index.ts'
import {
  type Asked,
  askedTooOften,
  askTooSoon,
  type CodeToSend,
  codesPerAttempt,
  identifierMissing,
  noAddress,
  topic,
} from './email-codes.ts'
import type { Memory } from './memory.ts'

export interface AskingDependencies {
  readonly memory: Memory
  readonly clock: Clock
  readonly users: Users
  readonly outbox: Outbox
  readonly throttle: Throttle
  readonly transaction: <T>(work: (db: DatabaseTransaction) => Promise<T>) => Promise<T>
  readonly settings: { readonly againSeconds: number }
}

/** It comes with whatever else stands in the form of the page on which a sign-in begins, which is not ours. */
const inputSchema = z.object({ identifier: z.string().max(320).optional() })

type Subject = Pick<Asked, 'account' | 'shown' | 'userId' | 'email'>

/** Makes a code for the sign-in; the work is the same whoever it is for, and whether there is anybody. */
export function asking(dependencies: AskingDependencies) {
  const { memory, clock, users, settings } = dependencies
  const send = sending(dependencies)

  return async (attempt: Attempt, input: unknown): Promise<void> => {
    const parsed = inputSchema.safeParse(input)
    if (!parsed.success) throw identifierMissing()
    const { identifier } = parsed.data
    const before = await memory.asked(attempt)
    const subject = await subjectOf(users, attempt, { identifier, before })
    if (before?.account !== subject.account) return await send(attempt, subject, (before?.times ?? 0) + 1)
    const since = (clock.now().getTime() - new Date(before.at).getTime()) / 1000
    const waiting = Math.ceil(settings.againSeconds - since)
    if (waiting <= 0) return await send(attempt, subject, before.times + 1)
    // A double click, or the way back and forth: the code that is under way is the one that is wanted. Whoever wants
    // another one does not say again who he is.
    if (identifier !== undefined && (await memory.code(attempt.id)) !== undefined) return
    throw askTooSoon(waiting)
  }
}

interface Given {
  readonly identifier: string | undefined
  readonly before: Asked | undefined
}

/** Whose code it is: whom the sign-in knows already, who was typed, or who it was for the last time. */
async function subjectOf(users: Users, attempt: Attempt, { identifier, before }: Given): Promise<Subject> {
  if (attempt.userId !== undefined) {
    const user = await users.find(attempt.userId)
    if (!users.isActive(user) || !user.email || !user.emailVerified) throw noAddress()
    const { id, email } = user
    return { account: `user ${id}`, shown: hidden(email), userId: id, email }
  }
  if (identifier === undefined || identifier.trim() === '') {
    if (before === undefined) throw identifierMissing()
    return before
  }
  const user = await users.findByIdentifier(identifier)
  const shown = identifier.trim()
  return { account: users.canonicalIdentifier(identifier), shown, ...reachable(users, user) }
}

const reachable = (users: Users, user: User | undefined): Pick<Subject, 'userId' | 'email'> =>
  users.isActive(user) && user.email ? { userId: user.id, email: user.email } : {}

/** As what the asking for a code is counted, where nobody has proven anything. */
export const askingOf = (
  { device, request }: Attempt,
  { account, userId }: Pick<Subject, 'account' | 'userId'>,
): Counted => ({
  asking: 'email-code',
  account,
  ...(userId && { userId }),
  ...(device !== undefined && { device }),
  address: request.address,
})

/** Enough to know one's own address by: `a•••@example.com`. */
export const hidden = (email: string): string => email.replace(/^(.).*(?=@)/u, '$1•••')

const sending = ({ memory, clock, outbox, throttle, transaction }: AskingDependencies) => {
  return async (attempt: Attempt, subject: Subject, times: number): Promise<void> => {
    if (times > codesPerAttempt) throw askedTooOften()
    const isVouched =
      attempt.userId !== undefined || (await throttle.admit(askingOf(attempt, subject))).isKnown
    const { account, shown, userId, email } = subject
    const { id: attemptId, path, clientId, locale, device, request } = attempt
    const { userAgent, address, requestId } = request
    const person = { ...(userId && { userId }), ...(email && { email }) }
    const token = newSecret()
    const sent = { id: newId(), code: newMailedCode(), linkHash: hashSecret(token) }
    const at = clock.now().toISOString()
    const browser = device === undefined ? {} : { device: hashSecret(device) }
    await memory.put(attemptId, {
      asked: { account, shown, times, at, ...person },
      code: { ...sent, account, ...person },
      link: { codeId: sent.id, attemptId, path, clientId, userAgent, at, ...browser },
    })
    const work: CodeToSend = {
      ...{ attemptId, codeId: sent.id, code: sent.code, token, ...person },
      ...{ clientId, userAgent, at, address, requestId, locale, isVouched },
    }
    await transaction((db) => outbox.put(db, topic, work))
  }
}
