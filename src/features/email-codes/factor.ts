import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret, isSecret } from '../../kernel/ids.ts'
import { answersPerMailedCode, isSameCode, readMailedCode } from '../../kernel/mailed-codes.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Attempt, Factor, Proof } from '../feature.ts'
import type { Subject, Throttle } from '../throttle/index.ts'
import type { User, Users } from '../users/index.ts'
import { type AskingDependencies, asking, askingOf } from './asking.ts'
import { codeEnded, codeIncomplete, type SentCode, wrongCode } from './email-codes.ts'
import type { Memory } from './memory.ts'

export interface FactorDependencies extends AskingDependencies {
  readonly memory: Memory
  readonly clock: Clock
  readonly users: Users
  readonly throttle: Throttle
  readonly attempts: Pick<Attempts, 'epochOf'>
  readonly audit: Audit
  readonly transaction: <T>(work: (db: DatabaseTransaction) => Promise<T>) => Promise<T>
  readonly offers: Factor['offers']
  readonly settings: { readonly codeSeconds: number; readonly againSeconds: number }
}

const name = 'email-code'

/** A code that was typed, or the token of a link that was opened in the browser of the sign-in. */
type Answer = { readonly code: string } | { readonly linkHash: string }

export function emailCodeFactor(dependencies: FactorDependencies): Factor {
  const { users, memory, offers, settings } = dependencies

  return {
    name,
    offers,
    order: 30,

    async enrolled(userId) {
      const user = await users.find(userId)
      return users.isActive(user) && Boolean(user.email) && user.emailVerified
    },

    ...(offers === 'second'
      ? {}
      : { first: async ({ path }) => ({ template: 'email-codes/first', model: { start: startOf(path) } }) }),
    start: asking(dependencies),

    async show(attempt) {
      const asked = await memory.asked(attempt)
      if (asked === undefined) return undefined
      const known = attempt.userId !== undefined
      const token = await memory.opened(attempt.id)
      if (token !== undefined) return { template: 'email-codes/opened', model: { token } }
      const minutes = Math.ceil(settings.codeSeconds / 60)
      return { template: 'email-codes/factor', model: { known, shown: asked.shown, minutes } }
    },

    finish: finishing(dependencies),
  }
}

const startOf = (path: string): string => `${path}/${name}/start`

const inputSchema = z.object({
  code: z.string().max(100).optional(),
  token: z.string().refine(isSecret).optional(),
})

/** Throws `email-codes.code_incomplete` for what nobody can have been sent: it is not worth one of the answers. */
function answerOf(input: unknown): Answer {
  const parsed = inputSchema.safeParse(input)
  if (parsed.data?.token !== undefined) return { linkHash: hashSecret(parsed.data.token) }
  const code = readMailedCode(parsed.data?.code ?? '')
  if (code === undefined) throw codeIncomplete()
  return { code }
}

const fits = (answer: Answer, sent: SentCode): boolean =>
  'code' in answer ? isSameCode(answer.code, sent.code) : isSameCode(answer.linkHash, sent.linkHash)

function finishing(dependencies: FactorDependencies): Factor['finish'] {
  const { memory, clock, throttle, users, audit, attempts } = dependencies
  const confirm = confirming(dependencies)
  const record = ({ clientId, request }: Attempt, outcome: 'success' | 'failure', sent: SentCode) =>
    audit.record({
      action: outcome === 'success' ? 'email-codes.proved' : 'email-codes.refused',
      outcome,
      clientId,
      request,
      userId: sent.userId,
    })

  return async (attempt, input): Promise<Proof> => {
    const answer = answerOf(input)
    // Whatever comes of it: a page that sends itself is not to do so again.
    if ('linkHash' in answer) await memory.endOpened(attempt.id)
    const expected = await memory.code(attempt.id)
    if (expected === undefined || isOfAnother(attempt, expected)) throw codeEnded()
    const admission = await throttle.admit(answeringOf(attempt, expected))
    const epoch = await attempts.epochOf(expected.userId ?? '')
    const sent = await memory.answer(attempt.id, answersPerMailedCode)
    const right = sent !== undefined && fits(answer, sent)
    if (!right || isOfAnother(attempt, sent)) {
      await record(attempt, 'failure', expected)
      throw sent === undefined ? codeEnded() : wrongCode()
    }
    const taken = await memory.take(attempt.id)
    if (taken?.id !== sent.id) throw codeEnded()
    await memory.endLink(sent.linkHash)
    const user = await users.find(sent.userId ?? '')
    if (!users.isActive(user) || user.email !== sent.email) throw codeEnded()
    await confirm(attempt, user)
    if (attempt.userId === undefined) await throttle.answered(askingOf(attempt, sent), user.id)
    await admission.succeeded(user.id)
    await record(attempt, 'success', sent)
    // RFC 8176 §2 has no value for e-mail; what is proven is a one-time password, whichever way it came.
    return { factor: name, userId: user.id, amr: ['otp'], at: clock.now(), epoch }
  }
}

/** Guessed at by who has stolen a password, too, in browsers that he has made known by it: before it or behind it. */
const answeringOf = (attempt: Attempt, { account, userId }: SentCode): Subject => ({
  account: `email-code ${account}`,
  ...(userId && { userId }),
  ...(attempt.device !== undefined && { device: attempt.device }),
  address: attempt.request.address,
  kind: 'mailed-code',
})

/** Asked for by whoever was at this sign-in before somebody else proved who he is. */
const isOfAnother = ({ userId }: Attempt, sent: SentCode): boolean =>
  userId !== undefined && sent.userId !== userId

/** Whoever has read the mail has shown that the address is his; unless it changes in this very moment. */
const confirming = ({ users, transaction }: FactorDependencies) => {
  return async ({ request }: Attempt, { id, email, emailVerified }: User): Promise<void> => {
    if (emailVerified) return
    const actor = { kind: 'user', userId: id } as const
    await transaction(async (db) => {
      const user = await users.update(id, { emailVerified: true }, { actor, request, db })
      if (user.email !== email) throw codeEnded()
    })
  }
}
