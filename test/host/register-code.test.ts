import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { type FrontDoor, interactionPath, openFrontDoor } from '../support/front-door.ts'
import {
  begin,
  codeFor,
  hasArrived,
  mailTo,
  newPassword,
  registrationForm,
  registrationOpen,
  signsIn,
  typeCode,
  usersWith,
} from '../support/registering.ts'
import { formsOf, newVisitor } from '../support/visitor.ts'

let door: FrontDoor
let clock: FixedClock
beforeAll(async () => {
  clock = fixedClock(new Date())
  door = await openFrontDoor({ clock, environment: registrationOpen })
})
afterAll(() => door[Symbol.asyncDispose]())

let count = 0
const newAddress = (): string => `person${++count}@example.test`
const db = () => door.latchkey.app.storage.db

describe('the code', () => {
  it('makes one account of 20 parallel answers', async () => {
    const visitor = newVisitor()
    const email = newAddress()
    const sent = await begin(door, visitor, { email })
    const code = await codeFor(door, email)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => visitor.clone().submit(sent, { code }, { action: '/code' })),
    )
    expect(await usersWith(door, email)).toBe(1)
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
  })

  it('makes one account of two that are made with the same address at the same time', async () => {
    const email = newAddress()
    const people = []
    for (const password of ['the first of two phrases', 'the second of two phrases']) {
      const visitor = newVisitor()
      clock.advance(1)
      const sent = await begin(door, visitor, { email, password })
      people.push({ visitor, sent, password, code: await codeFor(door, email) })
    }
    const answers = await Promise.all(
      people.map(({ visitor, sent, code }) => visitor.submit(sent, { code }, { action: '/code' })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 409])
    expect(await usersWith(door, email)).toBe(1)
    const winner = people[answers.findIndex(({ status }) => status === 303)]
    expect(await signsIn(door, email, winner?.password ?? '')).toBe(true)
    expect(answers.find(({ status }) => status === 409)?.text).toContain(
      'There is an account with this address',
    )
  })

  it('is looked at five times, even of 20 guesses in parallel', async () => {
    const visitor = newVisitor()
    const email = newAddress()
    const sent = await begin(door, visitor, { email })
    const code = await codeFor(door, email)
    const guesses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        visitor.clone().submit(sent, { code: String(10_000_000 + index) }, { action: '/code' }),
      ),
    )
    expect(guesses.filter(({ status }) => status === 400)).toHaveLength(5)
    clock.advance(901)
    expect((await visitor.submit(sent, { code }, { action: '/code' })).status).toBe(410)
    expect(await usersWith(door, email)).toBe(0)
  })

  it('cannot be skipped, nor typed where nothing was begun', async () => {
    const visitor = newVisitor()
    const form = await registrationForm(door, visitor)
    const path = `${door.latchkey.issuer}${interactionPath(form)}`
    expect((await visitor.get(`${path}/register/code`)).location).toBe(`${path}/register`)
    const { _csrf = '' } = formsOf(form)[0]?.fields ?? {}
    for (const code of ['', '1234 5678', 'x'.repeat(10_000)])
      expect((await visitor.post(`${path}/register/code`, { _csrf, code })).status).toBe(410)
    expect((await visitor.post(`${path}/register/again`, { _csrf })).status).toBe(410)

    const email = newAddress()
    await visitor.post(`${path}/register`, { _csrf, email, password: newPassword })
    for (const code of ['', 'null', '1234567', '[object Object]', '\0'.repeat(8)])
      expect((await visitor.post(`${path}/register/code`, { _csrf, code })).status).toBe(400)
    const step = await visitor.follow(await visitor.get(path))
    expect([step.status, step.location, interactionPath(step)]).toEqual([
      200,
      undefined,
      interactionPath(form),
    ])
    expect(await usersWith(door, email)).toBe(0)
  })

  it('works in the browser that began, and nowhere else', async () => {
    const visitor = newVisitor()
    const email = newAddress()
    const sent = await begin(door, visitor, { email })
    const code = await codeFor(door, email)
    const stranger = newVisitor()
    const own = await registrationForm(door, stranger)
    const { _csrf = '' } = formsOf(own)[0]?.fields ?? {}
    const answer = await stranger.post(`${door.latchkey.issuer}${interactionPath(sent)}/register/code`, {
      _csrf,
      code,
    })
    expect(answer.status).toBe(403)
    const ofOwn = `${door.latchkey.issuer}${interactionPath(own)}/register/code`
    expect((await stranger.post(ofOwn, { _csrf, code })).status).toBe(410)
    expect(await usersWith(door, email)).toBe(0)
    expect(hasArrived(await typeCode(visitor, sent, code))).toBe(true)
  })

  it('ends with its time, with a newer one, and with another form', async () => {
    const visitor = newVisitor()
    const [email, other] = [newAddress(), newAddress()]
    const sent = await begin(door, visitor, { email })
    const first = await codeFor(door, email)
    clock.advance(1)
    await visitor.submit(sent, {}, { action: '/again' })
    const second = await codeFor(door, email)
    expect(second).not.toBe(first)
    expect((await visitor.submit(sent, { code: first }, { action: '/code' })).status).toBe(400)

    const form = await visitor.get(`${door.latchkey.issuer}${interactionPath(sent)}/register`)
    await visitor.submit(form, { email: other, password: newPassword }, { action: '/register' })
    expect((await visitor.submit(sent, { code: second }, { action: '/code' })).status).toBe(400)
    const third = await codeFor(door, other)
    clock.advance(1_800)
    expect((await visitor.submit(sent, { code: third }, { action: '/code' })).status).toBe(410)
    expect([await usersWith(door, email), await usersWith(door, other)]).toEqual([0, 0])
  })

  it('is not written into logs or the database, nor is the password', async () => {
    const visitor = newVisitor()
    const email = newAddress()
    await begin(door, visitor, { email })
    const mail = await mailTo(door, email)
    const stored = JSON.stringify([
      await db().challenge.findMany(),
      await db().auditEvent.findMany(),
      door.latchkey.logged,
    ])
    const token = new URL(mail?.link ?? '').searchParams.get('token') ?? ''
    for (const secret of [mail?.code ?? '', (mail?.code ?? '').replace(' ', ''), token, newPassword]) {
      expect(secret.length).toBeGreaterThan(7)
      expect(stored).not.toContain(secret)
    }
  })
})

describe('the link beside the code', () => {
  it('shows the code in another browser, as often as it is opened, and signs nobody in there', async () => {
    const visitor = newVisitor()
    const email = newAddress()
    const sent = await begin(door, visitor, { email })
    const mail = await mailTo(door, email)
    for (const elsewhere of [newVisitor(), newVisitor()]) {
      const page = await elsewhere.get(mail?.link ?? '')
      expect(page.text).toContain(mail?.code)
      await elsewhere.submit(page, {}, { action: '/link/registration' }).catch(() => undefined)
      expect(elsewhere.cookies.filter(({ name }) => /session/.test(name))).toEqual([])
    }
    expect(await usersWith(door, email)).toBe(0)
    expect(hasArrived(await typeCode(visitor, sent, mail?.code ?? ''))).toBe(true)
    expect((await newVisitor().get(mail?.link ?? '')).status).toBe(410)
  })

  it('goes on in the browser that began, where the code is filled in', async () => {
    const visitor = newVisitor()
    await door.begin(visitor)
    const email = newAddress()
    await begin(door, visitor, { email })
    const mail = await mailTo(door, email)
    const page = await visitor.get(mail?.link ?? '')
    expect(page.text).not.toContain(mail?.code)
    const filled = await visitor.follow(await visitor.submit(page, {}, { action: '/link/registration' }))
    expect(filled.text).toContain(`value="${mail?.code}"`)
    expect(await usersWith(door, email)).toBe(0)
    expect(hasArrived(await typeCode(visitor, filled, mail?.code ?? ''))).toBe(true)
  })

  it('that is made up leads nowhere', async () => {
    for (const token of ['', 'a'.repeat(43), 'a'.repeat(5_000), '%00'])
      expect([400, 410]).toContain(
        (await newVisitor().get(`${door.latchkey.issuer}/link/registration?token=${token}`)).status,
      )
  })
})
