import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import {
  ada,
  auditOf,
  disableUser,
  type FrontDoor,
  grace,
  interactionPath,
  openFrontDoor,
} from '../support/front-door.ts'
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
import { formsOf, newVisitor, type Page } from '../support/visitor.ts'

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

describe('making an account', () => {
  it('signs a new person in at the application once the code was typed', async () => {
    const visitor = newVisitor()
    const email = 'Nora.New@example.test'
    const sent = await begin(door, visitor, { email, name: 'Nora New' })
    expect(sent.text).toContain(email)
    expect(await usersWith(door, email)).toBe(0)
    const code = await codeFor(door, email)
    expect(code).toMatch(/^\d{4} \d{4}$/)
    expect(hasArrived(await typeCode(visitor, sent, code))).toBe(true)
    const user = await db().user.findUniqueOrThrow({ where: { emailKey: email.toLowerCase() } })
    expect(user).toMatchObject({ email, emailVerified: true, name: 'Nora New', administrator: false })
    expect(await signsIn(door, email, newPassword)).toBe(true)
    const events = (await auditOf(door.latchkey)).filter(({ userId }) => userId === user.id)
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['users.created', 'registrations.completed', 'login.signed_in']),
    )
  })

  it('is offered on the sign-in page, and leads back to it', async () => {
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    const path = `${interactionPath(page)}/register`
    expect(page.text).toContain(`href="${path}"`)
    const form = await visitor.get(door.latchkey.issuer + path)
    expect(form.text).toContain(`href="${interactionPath(page)}/other"`)
    expect((await visitor.get(`${door.latchkey.issuer}${interactionPath(page)}/other`)).status).toBe(200)
  })

  it('begins at /register, too, and ends on the own pages of the person', async () => {
    const visitor = newVisitor()
    await door.latchkey.app.features.setup.setup.createFirstAdministrator(
      { email: 'root@example.test', password: 'the keys of the house 1' },
      { kind: 'command-line' },
    )
    const form = await visitor.follow(await visitor.get(`${door.latchkey.issuer}/register`))
    expect(form.url).toMatch(/\/register$/)
    const email = newAddress()
    const sent = await visitor.follow(
      await visitor.submit(form, { email, password: newPassword }, { action: '/register' }),
    )
    const arrived = await typeCode(visitor, sent, await codeFor(door, email))
    expect([arrived.status, new URL(arrived.url).pathname]).toEqual([
      200,
      expect.stringMatching(/^\/(account.*)?$/),
    ])
  })

  it('shows what was wrong beside the field, keeps the rest, and never the password', async () => {
    for (const [fields, field] of [
      [{ email: 'nobody' }, 'email'],
      [{ email: '' }, 'email'],
      [{ email: 'a@example.test\r\nBcc: b@example.test' }, 'email'],
      [{ email: 'a@example.test, b@example.test' }, 'email'],
      [{ email: 'аda@example.test' }, 'email'],
      [{ email: `${'a'.repeat(250)}@example.test` }, 'email'],
      [{ email: newAddress(), password: 'short' }, 'password'],
      [{ email: newAddress(), password: 'password123' }, 'password'],
      [{ email: 'umbrella.seven@example.test', password: 'umbrella.seven' }, 'password'],
      [{ email: newAddress(), name: 'New\r\nBcc: b@example.test' }, 'name'],
      [{ email: newAddress(), name: 'x'.repeat(201) }, 'name'],
    ] as const) {
      const answer = await begin(door, newVisitor(), fields)
      expect([fields, answer.status]).toEqual([fields, 400])
      expect(answer.text).toContain(`id="${field}-error"`)
      expect(answer.text).not.toContain(newPassword)
    }
  })

  it('refuses what is no form of ours, and creates nothing', async () => {
    const before = await db().user.count()
    const visitor = newVisitor()
    const form = await registrationForm(door, visitor)
    const hidden = formsOf(form).find(({ action }) => action.endsWith('/register'))?.fields ?? {}
    const url = `${door.latchkey.issuer}${interactionPath(form)}/register`
    const fields: Record<string, string> = { ...hidden, email: newAddress(), password: newPassword }
    const { _csrf: _, ...forged } = fields
    expect((await visitor.post(url, forged)).status).toBe(403)
    expect((await visitor.post(url, fields, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await visitor.post(url, hidden)).status).toBe(400)
    for (const extra of ['administrator', 'emailVerified', 'email_verified', 'username', 'sub', '__proto__'])
      expect([extra, (await visitor.post(url, { ...fields, [extra]: 'true' })).status]).toEqual([extra, 400])
    for (const [field, odd] of [
      ['email', 'a\0@example.test'],
      ['name', 'New\0'],
      ['email', 'x'.repeat(5_000)],
    ] as const)
      expect([field, (await visitor.post(url, { ...fields, [field]: odd })).status]).toEqual([field, 400])
    expect((await visitor.post(url, { ...fields, email: 'x'.repeat(500_000) })).status).toBe(413)
    expect(await db().user.count()).toBe(before)
  })
})

describe('an address that is known already', () => {
  const masked = (page: Page, address: string): string =>
    page.text
      .replaceAll(address, 'ADDRESS')
      .replaceAll(interactionPath(page), 'INTERACTION')
      .replace(/(nonce|value)="[^"]*"/g, '$1')
  const shape = (page: Page, address: string) => ({
    status: page.status,
    headers: [...page.headers.entries()]
      .filter(([name]) => !['date', 'content-length', 'x-request-id'].includes(name))
      .map(([name, value]) => [name, value.replace(/[\w-]{36,}/g, '_')])
      .toSorted(),
    text: masked(page, address),
  })
  const rows = async () => {
    const tables = [
      'user',
      'challenge',
      'throttleCounter',
      'outboxMessage',
      'capturedMail',
      'auditEvent',
    ] as const
    const client = db() as unknown as Record<string, { count(): Promise<number> }>
    return await Promise.all(tables.map(async (table) => await client[table]?.count()))
  }
  const more = async (work: () => Promise<void>): Promise<readonly number[]> => {
    const before = await rows()
    await work()
    await door.latchkey.mails()
    return (await rows()).map((after, index) => (after ?? 0) - (before[index] ?? 0))
  }

  it('gives the same answers and does the same work as a new one, in every step', async () => {
    const graceId = await door.latchkey.createUser(grace)
    await disableUser(door.latchkey, graceId)
    await door.latchkey.createUser({ email: 'Mary@example.test', password: 'the mechanism of the heavens' })
    const seen = []
    for (const email of [newAddress(), ada.email, grace.email, 'mARY@example.test']) {
      const visitor = newVisitor()
      await door.latchkey.mails()
      let sent: Page | undefined
      const done = await more(async () => {
        sent = await begin(door, visitor, { email })
      })
      if (sent === undefined) throw new Error('There is no page.')
      const wrong = await visitor.submit(sent, { code: '0000 0000' }, { action: '/code' })
      const empty = await visitor.submit(sent, { code: '' }, { action: '/code' })
      const again = await visitor.follow(await visitor.submit(sent, {}, { action: '/again' }))
      seen.push({ done, pages: [sent, wrong, empty, again].map((page) => shape(page, email)) })
    }
    expect(seen[0]?.pages.map(({ status }) => status)).toEqual([200, 400, 400, 200])
    expect(seen.slice(1)).toEqual([seen[0], seen[0], seen[0]])
  })

  it('tells its owner by mail, and nobody a code', async () => {
    await begin(door, newVisitor(), { email: ' ADA@example.test ' })
    const mail = await mailTo(door, ada.email)
    expect(mail?.subject).toContain('account already')
    expect([mail?.code, mail?.link]).toEqual(['', `${door.latchkey.issuer}/reset-password`])
    expect(mail?.text).not.toMatch(/\d{4} \d{4}/)
    expect(await signsIn(door, ada.email, ada.password)).toBe(true)
    expect(await signsIn(door, ada.email, newPassword)).toBe(false)
  })
})
