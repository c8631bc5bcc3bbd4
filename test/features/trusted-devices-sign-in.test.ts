import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { hashSecret } from '../../src/kernel/ids.ts'
import { ada, grace, redirectUri } from '../support/front-door.ts'
import { openSecondStep, type SecondStep } from '../support/second-step.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const month = 30 * 86_400

const atTheShop = (page: Page): boolean => page.location?.startsWith(`${redirectUri}?code=`) === true
const asksForCode = (page: Page): boolean => page.text.includes('autocomplete="one-time-code"')
const deviceOf = (visitor: Visitor): string =>
  visitor.cookies.find(({ name }) => name === 'latchkey_device')?.value ?? ''

/** The same browser without its session, as the next day finds it. */
const nextDay = (visitor: Visitor): Visitor =>
  newVisitor(visitor.cookies.filter(({ name }) => name.startsWith('latchkey_device')))

describe('a browser that its person trusts', () => {
  let house: SecondStep
  let key: string
  beforeEach(async () => {
    house = await openSecondStep()
    const { visitor } = await house.atAccount(ada)
    key = await house.addApp(visitor)
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const give = async (visitor: Visitor, page: Page, form: Readonly<Record<string, string>>): Promise<Page> =>
    await house.onward(visitor, await visitor.submit(page, form, { action: '/totp' }))

  const trusting = async (visitor = newVisitor()): Promise<Visitor> => {
    const page = await house.atSecondStep(visitor)
    expect(page.text).toContain('name="trust"')
    expect(atTheShop(await give(visitor, page, { code: house.codeNow(key), trust: 'yes' }))).toBe(true)
    house.clock.advance(60)
    return visitor
  }

  it('is not asked for the second step until the time is over', async () => {
    const visitor = await trusting()
    expect(atTheShop(await house.atSecondStep(nextDay(visitor)))).toBe(true)
    house.clock.advance(month)
    expect(asksForCode(await house.atSecondStep(nextDay(visitor)))).toBe(true)
  })

  it('is trusted only where that was ticked, and only together with a right code', async () => {
    const visitor = newVisitor()
    const page = await house.atSecondStep(visitor)
    const wrong = house.codeNow(key) === '123456' ? '654321' : '123456'
    await visitor.submit(page, { code: wrong, trust: 'yes' }, { action: '/totp' })
    expect(asksForCode(await house.atSecondStep(nextDay(visitor)))).toBe(true)
    await give(visitor, page, { code: house.codeNow(key) })
    expect(asksForCode(await house.atSecondStep(nextDay(visitor)))).toBe(true)
  })

  it('is not trusted by a form that says so at the first step', async () => {
    const visitor = newVisitor()
    const form = await house.begin(visitor)
    const answer = { identifier: ada.email, password: ada.password, trust: 'yes' }
    await visitor.submit(form, answer, { action: '/password' })
    expect(await house.latchkey.app.storage.db.trustedDevice.count()).toBe(0)
  })

  it('has a new name since: a copy of its cookie from before is not trusted', async () => {
    const visitor = newVisitor()
    await house.begin(visitor)
    const copy = visitor.clone()
    await trusting(visitor)
    expect(deviceOf(visitor)).not.toBe(deviceOf(copy))
    expect(asksForCode(await house.atSecondStep(nextDay(copy)))).toBe(true)
    expect(atTheShop(await house.atSecondStep(nextDay(visitor)))).toBe(true)
  })

  it('does not stand for the password, nor for another person, nor where its cookies were cleared', async () => {
    const visitor = nextDay(await trusting())
    const form = await house.begin(visitor)
    const wrong = { identifier: ada.email, password: 'a wrong one 1' }
    expect((await visitor.submit(form, wrong, { action: '/password' })).status).toBe(401)
    expect(asksForCode(await house.atSecondStep(newVisitor()))).toBe(true)
    await house.latchkey.createUser(grace)
    const other = await house.atAccount(grace)
    const graces = await house.addApp(other.visitor)
    const page = await house.atSecondStep(visitor, {}, grace)
    expect(asksForCode(page)).toBe(true)
    expect(atTheShop(await give(visitor, page, { code: house.codeNow(graces) }))).toBe(true)
  })

  it('is asked where the request wants to see its person prove it anew', async () => {
    const visitor = await trusting()
    expect(asksForCode(await house.atSecondStep(visitor, { prompt: 'login' }))).toBe(true)
  })

  it('is shown on the page of devices, and asked again once that is taken back there', async () => {
    const visitor = await trusting()
    const page = await house.account(visitor, 'devices')
    expect(page.text).toContain('Browsers you trust')
    const answer = await visitor.submit(page, {}, { action: '/trusted-devices/revoke' })
    expect((await visitor.follow(answer)).text).toContain('no longer trusted')
    expect(asksForCode(await house.atSecondStep(nextDay(visitor)))).toBe(true)
  })

  it('is forgotten when a password is set by a link', async () => {
    const visitor = await trusting()
    const { passwords } = house.latchkey.app.features.passwords
    const { url } = await passwords.issueLink(house.adaId, 'reset', { actor: commandLineActor })
    const fresh = newVisitor()
    const password = 'a quite different engine 1845'
    await fresh.submit(await fresh.get(url), { password }, { action: '/set-password' })
    const page = await house.atSecondStep(nextDay(visitor), {}, { email: ada.email, password })
    expect(asksForCode(page)).toBe(true)
  })

  it('is forgotten when its session is ended from elsewhere, or everything but another', async () => {
    for (const act of ['end', 'end-others']) {
      const lost = await trusting()
      const { visitor, page: second } = await house.atAccount(ada, 'devices')
      await give(visitor, second, { code: house.codeNow(key) })
      house.clock.advance(60)
      const sessions = await house.latchkey.app.features.sessions.sessions.list(house.adaId)
      const own = sessions.find(({ deviceHash }) => deviceHash === hashSecret(deviceOf(lost)))
      const session = `ses_${own?.uid}`
      const page = await house.account(visitor, 'devices')
      await visitor.submit(page, act === 'end' ? { session } : {}, { action: `/sessions/${act}` })
      expect(asksForCode(await house.atSecondStep(nextDay(lost)))).toBe(true)
    }
  })
})

describe('a sign-in in two steps', () => {
  it('is not gone on with whose account was disabled between them', async () => {
    await using house = await openSecondStep()
    const { visitor } = await house.atAccount(ada)
    const key = await house.addApp(visitor)
    const other = newVisitor()
    const page = await house.atSecondStep(other)
    const { users } = house.latchkey.app.features.users
    await users.disable(house.adaId, { actor: commandLineActor })
    await users.enable(house.adaId, { actor: commandLineActor })
    const end = await house.onward(
      other,
      await other.submit(page, { code: house.codeNow(key) }, { action: '/totp' }),
    )
    expect(atTheShop(end)).toBe(false)
    expect(
      await house.latchkey.app.storage.db.artefact.count({ where: { model: 'AuthorizationCode' } }),
    ).toBe(0)
  })

  it('raises a session that the identifier from before does not lead to', async () => {
    await using house = await openSecondStep()
    const { visitor } = await house.atAccount(ada)
    const key = await house.addApp(visitor)
    const first = newVisitor()
    const page = await house.atSecondStep(first)
    const code = { code: house.codeNow(key), trust: 'yes' }
    await house.onward(first, await first.submit(page, code, { action: '/totp' }))
    house.clock.advance(3_600)
    const own = nextDay(first)
    expect(atTheShop(await house.atSecondStep(own))).toBe(true)
    house.clock.advance(60)
    const stolen = own.clone()
    const raised = { acr_values: 'urn:latchkey:acr:multi-factor' }
    const step = await house.begin(own, raised)
    const end = await house.onward(
      own,
      await own.submit(step, { code: house.codeNow(key) }, { action: '/totp' }),
    )
    expect(atTheShop(end)).toBe(true)
    const { db } = house.latchkey.app.storage
    const rows = await db.artefact.findMany({ where: { model: 'Session', userId: house.adaId } })
    const found = rows.find(({ rotatedAt }) => rotatedAt !== null)
    expect([found !== undefined, found?.previousId]).toEqual([true, null])
    expect(atTheShop(await house.begin(stolen, { prompt: 'none' }))).toBe(false)
    expect(atTheShop(await house.begin(own, { prompt: 'none' }))).toBe(true)
  })
})
