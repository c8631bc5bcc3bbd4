/**
 * Addresses on a running server whose clock stands still: people, what they ask for, and what is mailed.
 *
 *     await using addresses = await openAddresses()
 *     const ada = await addresses.person()
 */
import { expect } from 'vitest'
import type { Asker } from '../../src/features/addresses/index.ts'
import type { NewUser, User } from '../../src/features/users/index.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { fixedClock } from './clock.ts'
import { type ReceivedMail, startLatchkey } from './latchkey.ts'

export const change = { actor: commandLineActor }
export const request = { requestId: 'request-1', address: '192.0.2.1', userAgent: 'test' }

export const fails = (code: string, status: number) => expect.objectContaining({ code, status })
export const codeEnded = fails('addresses.code_ended', 410)
export const linkEnded = fails('addresses.link_ended', 410)

export type OpenAddresses = Awaited<ReturnType<typeof openAddresses>>

export async function openAddresses(environment: Readonly<Record<string, string>> = {}) {
  const clock = fixedClock()
  const caps = { LATCHKEY_MAIL_ACCOUNT_PER_HOUR: '1000', LATCHKEY_MAIL_ADDRESS_PER_HOUR: '1000' }
  const latchkey = await startLatchkey({ clock, environment: { ...caps, ...environment } })
  const { users, addresses: feature } = latchkey.app.features
  let count = 0

  const mailsTo = async (to: string): Promise<readonly ReceivedMail[]> =>
    (await latchkey.mails()).filter((mail) => mail.to === to)

  return {
    latchkey,
    clock,
    feature,
    addresses: feature.addresses,
    users: users.users,
    db: latchkey.app.storage.db,
    next(): void {
      clock.advance(86_400)
      count += 1
    },
    /** An address that nobody else in the file has. */
    email: (name: string): string => `${name}${count}@example.test`,
    /** Signed in in the session that `asker` asks in. */
    async person(name = 'ada', own: NewUser = {}): Promise<User> {
      const details = { email: `${name}${count}@example.test`, name, emailVerified: true, ...own }
      const user = await users.users.create(details, change)
      const uid = `session of ${user.id}`
      const session = { model: 'Session', id: uid, sessionUid: uid, userId: user.id, payload: '{}' }
      await latchkey.app.storage.db.artefact.create({ data: session })
      return user
    },
    asker: ({ id }: User, own: Partial<Asker> = {}): Asker => ({
      userId: id,
      owner: `page of ${id}`,
      sessionUid: `session of ${id}`,
      request,
      locale: 'en',
      ...own,
    }),
    mailsTo,
    async sent(to: string): Promise<{ readonly code: string; readonly token: string }> {
      const mail = (await mailsTo(to)).filter(({ code }) => code !== '').at(-1)
      const token = new URL(mail?.link ?? 'http://localhost').searchParams.get('token') ?? ''
      return { code: mail?.code ?? '', token }
    },
    [Symbol.asyncDispose]: () => latchkey.close(),
  }
}
