import { afterEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { newAuthenticator } from '../support/authenticator.ts'
import { ada } from '../support/front-door.ts'
import { holdNext, whileHeld } from '../support/holding.ts'
import { openSecondStep, type SecondStep } from '../support/second-step.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const codesByMail = { LATCHKEY_EMAIL_CODES_USE: 'either' }
const refusal = 'Without the password you could not sign in any more'

let house: SecondStep
afterEach(() => house[Symbol.asyncDispose]())

async function open(environment: Readonly<Record<string, string>> = {}): Promise<Visitor> {
  house = await openSecondStep({ environment })
  await change({ emailVerified: true })
  return (await house.atAccount(ada)).visitor
}

async function change(details: { readonly emailVerified: boolean }): Promise<void> {
  const { users } = house.latchkey.app.features.users
  await users.update(house.adaId as UserId, details, { actor: commandLineActor })
}

const rows = () => house.latchkey.app.storage.db
const hasPassword = async (): Promise<boolean> =>
  (await rows().password.count({ where: { userId: house.adaId } })) === 1
const removalPage = (visitor: Visitor): Promise<Page> => house.account(visitor, 'security/password/remove')
const remove = async (visitor: Visitor, page?: Page): Promise<Page> =>
  await visitor.submit(page ?? (await removalPage(visitor)), {}, { action: '/password/remove' })

/** A form that the page does not offer, sent all the same. */
const forceRemoval = async (visitor: Visitor): Promise<Page> => {
  const page = await house.account(visitor, 'security')
  const { _csrf = '' } = formsOf(page).find(({ fields }) => fields._csrf !== undefined)?.fields ?? {}
  return await visitor.post(`${house.latchkey.issuer}/account/security/password/remove`, { _csrf })
}

/** Ada's passkey, made on the pages of her account. */
async function addPasskey(visitor: Visitor): Promise<void> {
  const { issuer } = house.latchkey
  const page = await house.account(visitor, 'security/passkeys/add')
  const options = /data-options="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&quot;', '"') ?? ''
  const credential = newAuthenticator().create(options, { origin: issuer })
  const added = await visitor.submit(page, { credential }, { action: '/passkeys/add' })
  expect(added.status).toBe(303)
}

describe('the password of a person who can sign in without it', () => {
  it('is removed: it signs nobody in, its links end, and so does every session but the one he is in', async () => {
    const visitor = await open(codesByMail)
    const elsewhere = (await house.atAccount(ada)).visitor
    const { passwords } = house.latchkey.app.features.passwords
    const { url } = await passwords.issueLink(house.adaId, 'reset', { actor: commandLineActor })
    const answer = await remove(visitor)
    expect(answer.location).toBe(`${house.latchkey.issuer}/account/security`)
    expect((await visitor.follow(answer)).text).toContain('Your password was removed.')
    expect(await hasPassword()).toBe(false)
    expect(await passwords.readLink(new URL(url).searchParams.get('token') ?? '')).toBeUndefined()
    const page = await house.account(visitor, 'security')
    expect([page.status, page.text.includes('You have no password.')]).toEqual([200, true])
    expect(page.text).not.toContain('/password/remove')
    expect((await house.account(elsewhere, 'security')).location).toContain('/auth?')
    const stranger = newVisitor()
    const form = { identifier: ada.email, password: ada.password }
    const refused = await stranger.submit(await house.begin(stranger), form, { action: '/password' })
    expect(refused.status).toBe(401)
  })

  it('is told of in a mail and in the audit, once, however often the form is sent', async () => {
    const visitor = await open(codesByMail)
    const page = await removalPage(visitor)
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await remove(visitor.clone(), page)).status),
    )
    expect(new Set(statuses)).toEqual(new Set([303]))
    const mails = (await house.latchkey.mails()).filter(({ text }) => text.includes('was removed'))
    expect(mails).toMatchObject([{ to: ada.email }])
    const events = await rows().auditEvent.findMany({ where: { action: 'passwords.removed' } })
    expect(events).toMatchObject([{ userId: house.adaId, actor: `user:${house.adaId}` }])
    expect((await removalPage(visitor)).text).toContain('You have no password.')
  })

  it('is removed only by who has just proven who he is, and by a form of his own page', async () => {
    const visitor = await open(codesByMail)
    const page = await removalPage(visitor)
    house.clock.advance(601)
    expect((await remove(visitor, page)).location).toContain('/auth?')
    expect((await removalPage(visitor)).location).toContain('/auth?')
    const url = `${house.latchkey.issuer}/account/security/password/remove`
    expect((await visitor.post(url, {})).status).toBe(403)
    expect((await newVisitor().post(url, {})).location).toContain('/auth?')
    expect(await hasPassword()).toBe(true)
  })

  it('begins no sign-in that ends after it', async () => {
    const visitor = await open(codesByMail)
    const key = await house.addApp(visitor)
    const waiting = newVisitor()
    const step = await house.atSecondStep(waiting)
    await remove(visitor)
    const end = await waiting.submit(step, { code: house.codeNow(key) }, { action: '/totp' })
    expect((await waiting.follow(end)).text).toContain('autocomplete="username')
    expect(await hasPassword()).toBe(false)
  })

  it('is enough of a passkey to be removed', async () => {
    const visitor = await open()
    await addPasskey(visitor)
    expect((await remove(visitor)).status).toBe(303)
    expect(await hasPassword()).toBe(false)
  })

  it('is not removed by a session that a reset ends at the same moment', async () => {
    const visitor = await open(codesByMail)
    const { passwords } = house.latchkey.app.features.passwords
    const { url } = await passwords.issueLink(house.adaId, 'reset', { actor: commandLineActor })
    const page = await removalPage(visitor)
    const held = holdNext(house.latchkey.app.features.attempts.attempts, 'epochOf')
    const answer = await whileHeld(
      held,
      () => remove(visitor, page),
      () =>
        passwords.chooseByLink({
          token: new URL(url).searchParams.get('token') ?? '',
          password: 'a quite different engine 1845',
        }),
    )
    expect(answer.status).toBe(409)
    expect(await hasPassword()).toBe(true)
  })
})

describe('the password of a person who could not sign in without it', () => {
  const stays = async (visitor: Visitor): Promise<void> => {
    expect((await removalPage(visitor)).text).toContain(refusal)
    const forced = await forceRemoval(visitor)
    expect([forced.status, forced.text.includes(refusal)]).toEqual([409, true])
    expect(await hasPassword()).toBe(true)
  }

  it('stays where it is the only way, or all others come after it', async () => {
    const visitor = await open()
    await stays(visitor)
    await house.addApp(visitor)
    await house.makeCodes(visitor)
    await stays(visitor)
  })

  it('stays where the setting makes a code by mail a second step alone', async () => {
    await open({ LATCHKEY_EMAIL_CODES_USE: 'second' })
    const { visitor, page } = await house.atAccount(ada)
    const step = await visitor.follow(await visitor.submit(page, {}, { action: '/email-code/start' }))
    const { code = '' } = (await house.latchkey.mails()).at(-1) ?? {}
    await house.onward(visitor, await visitor.submit(step, { code }, { action: '/email-code' }))
    await stays(visitor)
  })

  it('stays where the address is not confirmed, to which codes would go', async () => {
    const visitor = await open(codesByMail)
    await change({ emailVerified: false })
    await stays(visitor)
  })

  it('stays where what is left does not reach what the server demands', async () => {
    const visitor = await open({ ...codesByMail, LATCHKEY_POLICY_ADMINISTRATORS: 'phishing-resistant' })
    const { storage } = house.latchkey.app
    await storage.transaction(async (db) => {
      await db.user.updateMany({ where: { id: house.adaId }, data: { administrator: true } })
      await storage.touch(db, 'users')
    })
    await stays(visitor)
    await addPasskey(visitor)
    expect((await remove(visitor)).status).toBe(303)
  })

  it('stays, or his last passkey does, where both are removed at the same moment', async () => {
    for (const first of ['password', 'passkey']) {
      const visitor = await open()
      await addPasskey(visitor)
      const id = (await rows().passkey.findFirst({ where: { userId: house.adaId } }))?.id ?? ''
      const pages = [
        await removalPage(visitor),
        await house.account(visitor, `security/passkeys/remove?id=${id}`),
      ] as const
      const removals = [
        () => remove(visitor.clone(), pages[0]),
        () => visitor.clone().submit(pages[1], { id }, { action: `/passkeys/remove?id=${id}` }),
      ] as const
      const [own, other] = first === 'password' ? removals : removals.toReversed()
      // Held where the other ways were looked at, and found to be enough.
      const held = holdNext(house.latchkey.app.features.attempts.attempts, 'epochOf', 'after')
      const looked = holdNext(house.latchkey.app.storage, 'transaction')
      const answer = own?.()
      await held.reached
      held.release()
      await looked.reached
      expect((await other?.())?.status).toBe(303)
      looked.release()
      expect((await answer)?.status).toBe(409)
      const left = (await hasPassword()) ? 1 : 0
      expect(left + (await rows().passkey.count({ where: { userId: house.adaId } }))).toBe(1)
      if (first === 'password') await house[Symbol.asyncDispose]()
    }
  })
})
