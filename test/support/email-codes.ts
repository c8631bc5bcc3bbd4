/**
 * Codes by e-mail on a running server whose clock stands still: people, sign-ins, and what they were mailed.
 *
 *     await using codes = await openEmailCodes()
 *     const one = codes.attempt('one')
 */
import { expect } from 'vitest'
import type { Attempt, Factor, LinkVisit, MailedLink } from '../../src/features/feature.ts'
import type { NewUser, User } from '../../src/features/users/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { fixedClock } from './clock.ts'
import { type ReceivedMail, startLatchkey } from './latchkey.ts'
import { attempt as attemptOf } from './people.ts'

export const change = { actor: commandLineActor }
const userAgent =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

export const fails = (code: string, status: number) => expect.objectContaining({ code, status })
export const ended = fails('email-codes.code_ended', 410)
export const wrong = fails('email-codes.wrong_code', 401)
export const linkEnded = fails('email-codes.link_ended', 410)

/** Another code than this one. */
export const otherThan = (code: string): string =>
  String((Number(code.replace(' ', '')) + 1) % 1e8).padStart(8, '0')

export const visit = (device: string): LinkVisit => ({
  request: { requestId: 'request-2', address: '192.0.2.7', userAgent },
  locale: 'en',
  device,
})

const there = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('Codes by e-mail are not offered.')
  return value
}

export type EmailCodes = Awaited<ReturnType<typeof openEmailCodes>>

export async function openEmailCodes(environment: Readonly<Record<string, string>> = {}) {
  const clock = fixedClock()
  const latchkey = await startLatchkey({
    clock,
    environment: {
      LATCHKEY_EMAIL_CODES_USE: 'either',
      LATCHKEY_MAIL_ACCOUNT_PER_HOUR: '1000',
      LATCHKEY_MAIL_ADDRESS_PER_HOUR: '1000',
      ...environment,
    },
  })
  const { users, emailCodes } = latchkey.app.features
  const factor: Factor = there(emailCodes.factor)
  const link: MailedLink = there(emailCodes.links?.[0])
  let count = 0

  const newest = async (to = `ada${count}@example.test`): Promise<ReceivedMail | undefined> =>
    (await latchkey.mails()).filter((mail) => mail.to === to).at(-1)

  return {
    latchkey,
    clock,
    factor,
    link,
    users: users.users,
    newest,
    /** A day later everybody is somebody else, and nothing is counted any more. */
    next(): void {
      clock.advance(86_400)
      count += 1
    },
    /** What is this test's own: `own('ada')` is a user name of nobody else. */
    own: (text: string): string => `${text}${count}`,
    person: (details: NewUser = {}): Promise<User> =>
      users.users.create(
        { email: `ada${count}@example.test`, emailVerified: true, username: `ada${count}`, ...details },
        change,
      ),
    attempt: (id: string, own: Partial<Attempt> = {}): Attempt =>
      attemptOf({
        id: `${id}-${count}`,
        path: `/interaction/${id}-${count}`,
        device: `device of ${id}`,
        request: { requestId: 'request-1', address: `198.51.100.${count}`, userAgent },
        ...own,
      }),
    /** Mails of the same second have no order. */
    async start(of: Attempt, input: unknown): Promise<void> {
      clock.advance(1)
      await factor.start?.(of, input)
    },
    code: async (): Promise<string> => (await newest())?.code ?? '',
    token: async (): Promise<string> => new URL((await newest())?.link ?? '').searchParams.get('token') ?? '',
    [Symbol.asyncDispose]: () => latchkey.close(),
  }
}
