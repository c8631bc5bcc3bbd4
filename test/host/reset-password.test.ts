import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Holder } from '../../src/features/feature.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { ada, auditOf, disableUser, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { freePort } from '../support/latchkey.ts'
import { hasArrived, mailTo } from '../support/registering.ts'
import { codeOf } from '../support/second-factors.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const chosen = 'a difference of engines 1822'
const path = '/reset-password'

let door: FrontDoor
let clock: FixedClock
let count = 0
beforeAll(async () => {
  clock = fixedClock(new Date())
  door = await openFrontDoor({ clock, environment: { LATCHKEY_PASSKEYS_OFFER: 'false' } })
})
afterAll(() => door[Symbol.asyncDispose]())
// Of other mails of the moment before; and beyond what one account may have in an hour.
beforeEach(() => clock.advance(3_601))

const person = async () => {
  const email = `person${++count}@example.test`
  const password = `the phrase of person ${count}`
  return { email, password, id: (await door.latchkey.createUser({ email, password })) as UserId }
}
const ask = async (identifier: string, visitor = newVisitor()): Promise<Page> => {
  const form = await visitor.get(door.latchkey.issuer + path)
  return await visitor.submit(form, { identifier }, { action: path })
}
const linkFor = async (email: string): Promise<string> => {
  clock.advance(1)
  await ask(email)
  return (await mailTo(door, email))?.link ?? ''
}
const choose = async (link: string, password: string, visitor: Visitor = newVisitor()): Promise<Page> => {
  const page = await visitor.get(link)
  if (formsOf(page).length === 0) return page
  return await visitor.submit(page, { password }, { action: '/set-password' })
}
const enter = async (identifier: string, password: string, visitor = newVisitor()): Promise<Page> => {
  const form = await door.begin(visitor)
  return await visitor.follow(await visitor.submit(form, { identifier, password }, { action: '/password' }))
}

describe('a password that was forgotten', () => {
  it('is replaced with the link of a mail, which the sign-in page offers', async () => {
    const { email, password } = await person()
    const visitor = newVisitor()
    expect((await door.begin(visitor)).text).toContain(`href="${path}"`)
    const sent = await visitor.follow(await ask(` ${email.toUpperCase()} `, visitor))
    expect([sent.status, new URL(sent.url).pathname]).toEqual([200, `${path}/sent`])
    const mail = await mailTo(door, email)
    expect(mail?.link).toMatch(new RegExp(`^${door.latchkey.issuer}/set-password\\?token=[\\w-]{43}$`))
    clock.advance(1)
    expect((await choose(mail?.link ?? '', chosen)).status).toBe(303)
    expect(hasArrived(await enter(email, chosen))).toBe(true)
    expect(hasArrived(await enter(email, password))).toBe(false)
    expect((await mailTo(door, email))?.text).toContain('was reset with a link')
  })

  it('is asked for with the same answer and work for every account there is or is not', async () => {
    // What is mailed after the answer is nothing that the person waits for.
    const shared = door
    door = await openFrontDoor({ clock })
    await door.latchkey.app.features.outbox.worker.stop(10)
    try {
      await ask('the first of this address')
      await compareAnswers()
    } finally {
      await door[Symbol.asyncDispose]()
      door = shared
    }
  })

  async function compareAnswers(): Promise<void> {
    const { email } = await person()
    const disabled = await person()
    await disableUser(door.latchkey, disabled.id)
    const nameless = await door.latchkey.app.features.users.users.create(
      { username: 'nameless' },
      { actor: { kind: 'system' } },
    )
    expect(nameless.email).toBeNull()
    const { db } = door.latchkey.app.storage
    const rows = async () => [
      await db.throttleCounter.count(),
      await db.passwordLink.count(),
      await db.auditEvent.count(),
    ]
    const seen: unknown[] = []
    const unknown = ['nobody@example.test', 'nameless', 'nobody', '%', 'x'.repeat(320)]
    for (const identifier of [email, disabled.email, ...unknown]) {
      const before = await rows()
      const visitor = newVisitor()
      const answer = await ask(identifier, visitor)
      const done = (await rows()).map((after, index) => after - (before[index] ?? 0))
      const page = await visitor.follow(answer)
      const headers = [...answer.headers.entries()].filter(
        ([name]) => !['date', 'x-request-id'].includes(name),
      )
      const text = page.text.replace(/(nonce|value)="[^"]*"/g, '$1')
      const shape = { status: answer.status, location: answer.location, text }
      seen.push({
        ...shape,
        done,
        headers: headers.map(([name, value]) => [name, value.replace(/[\w-]{36,}/g, '_')]),
      })
    }
    expect(seen[0]).toMatchObject({ status: 303, done: [1, 0, 0] })
    expect(seen).toEqual(seen.map(() => seen[0]))
  }

  it('is mailed to nobody who cannot use it', async () => {
    const disabled = await person()
    await disableUser(door.latchkey, disabled.id)
    await ask('nobody@example.test')
    await ask(disabled.email)
    expect([await mailTo(door, 'nobody@example.test'), await mailTo(door, disabled.email)]).toEqual([
      undefined,
      undefined,
    ])
  })

  it('is not asked for without saying for whom, nor by what is no form of ours', async () => {
    for (const identifier of ['', '  ', 'x'.repeat(321)]) {
      const answer = await ask(identifier)
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('id="identifier-error"')])
    }
    const { email } = await person()
    for (const odd of ['a\0b', `${email}\r\nBcc: b@example.test`, `${email},b@example.test`]) await ask(odd)
    const visitor = newVisitor()
    await visitor.get(door.latchkey.issuer + path)
    expect((await visitor.post(door.latchkey.issuer + path, { identifier: email })).status).toBe(403)
    expect(await mailTo(door, email)).toBeUndefined()
  })

  it('waits after five requests from one place, and takes nothing from its owner elsewhere', async () => {
    const { email } = await person()
    const answers = []
    for (let time = 0; time < 6; time += 1) answers.push(await ask(email))
    expect(answers.map(({ status }) => status)).toEqual([...Array(5).fill(303), 429])
    expect(answers[5]?.headers.get('retry-after')).toMatch(/^\d+$/)
    const { passwords } = door.latchkey.app.features.passwords
    const elsewhere = { requestId: 'r', address: '198.51.100.7', userAgent: '' }
    await passwords.requestReset({ identifier: email, request: elsewhere, locale: 'en' })
  })
})

describe('the link for it', () => {
  it('is ended by a newer one, but never by more than five in an hour', async () => {
    const { email, id } = await person()
    const first = await linkFor(email)
    const second = await linkFor(email)
    expect((await newVisitor().get(first)).status).toBe(403)
    const { passwords } = door.latchkey.app.features.passwords
    for (let time = 0; time < 20; time += 1) {
      const request = { requestId: 'r', address: `198.51.100.${time}`, userAgent: '' }
      await passwords.requestReset({ identifier: email, request, locale: 'en' })
      clock.advance(1)
      await door.latchkey.mails()
    }
    expect(await door.latchkey.app.storage.db.passwordLink.count({ where: { userId: id } })).toBe(5)
    const newest = (await mailTo(door, email))?.link ?? ''
    expect((await choose(second, chosen)).status).toBe(403)
    expect((await choose(newest, chosen)).status).toBe(303)
  })

  it('works for one of 20 who use it at the same time', async () => {
    const { email } = await person()
    const link = await linkFor(email)
    const pages = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const visitor = newVisitor()
        return { visitor, page: await visitor.get(link) }
      }),
    )
    const answers = await Promise.all(
      pages.map(({ visitor, page }, index) =>
        visitor.submit(page, { password: `${chosen} ${index}` }, { action: '/set-password' }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, ...Array(19).fill(410)])
    const winner = answers.findIndex(({ status }) => status === 303)
    expect(hasArrived(await enter(email, `${chosen} ${winner}`))).toBe(true)
  })

  it('is for its person and its purpose alone', async () => {
    const [anna, ben] = [await person(), await person()]
    const link = await linkFor(anna.email)
    const token = new URL(link).searchParams.get('token') ?? ''
    const visitor = newVisitor()
    const page = await visitor.get(link)
    await visitor.submit(
      page,
      { password: chosen, identifier: ben.email, email: ben.email, userId: ben.id },
      { action: '/set-password' },
    )
    expect(hasArrived(await enter(ben.email, ben.password))).toBe(true)
    expect(hasArrived(await enter(anna.email, chosen))).toBe(true)

    const other = await linkFor(ben.email)
    const otherToken = new URL(other).searchParams.get('token') ?? ''
    for (const elsewhere of ['/register?invitation=', '/link/registration?token=', '/setup?token='])
      for (const value of [token, otherToken])
        expect((await newVisitor().get(door.latchkey.issuer + elsewhere + value)).status).not.toBe(200)
    const { db } = door.latchkey.app.storage
    await db.passwordLink.updateMany({ where: { userId: ben.id }, data: { purpose: 'another' } })
    expect((await newVisitor().get(other)).status).toBe(403)
    expect(hasArrived(await enter(ben.email, ben.password))).toBe(true)
  })

  it('does nothing when it is merely opened, however often', async () => {
    const { email, password } = await person()
    const link = await linkFor(email)
    for (let time = 0; time < 3; time += 1) expect((await newVisitor().get(link)).status).toBe(200)
    expect(hasArrived(await enter(email, password))).toBe(true)
    expect((await choose(link, chosen)).status).toBe(303)
  })

  it('ends sessions and trusted devices, signs nobody in, and keeps the second factor', async () => {
    const { email, password, id } = await person()
    const key = await addApp(id, email)
    const browser = newVisitor()
    const asked = await enter(email, password, browser)
    expect(asked.text).toContain('name="code"')
    const arrived = await browser.follow(
      await browser.submit(asked, { code: codeOf(key, clock.now()), trust: 'yes' }, { action: '/totp' }),
    )
    expect(hasArrived(arrived)).toBe(true)
    expect(hasArrived(await door.begin(browser))).toBe(true)

    const thief = newVisitor()
    await choose(await linkFor(email), chosen, thief)
    expect(thief.cookies.filter(({ name }) => /session/.test(name))).toEqual([])
    expect((await door.begin(browser)).text).toContain('name="identifier"')
    for (const visitor of [thief, browser]) {
      const step = await enter(email, chosen, visitor)
      expect([hasArrived(step), step.text]).toEqual([false, expect.stringContaining('name="code"')])
    }
    const { db } = door.latchkey.app.storage
    expect(await db.totpAuthenticator.count({ where: { userId: id } })).toBe(1)
    expect(await db.trustedDevice.count({ where: { userId: id } })).toBe(0)
  })

  it('is audited, and is nowhere to be read', async () => {
    const { email, id } = await person()
    const link = await linkFor(email)
    await choose(link, chosen)
    const events = (await auditOf(door.latchkey)).filter(({ userId }) => userId === id)
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['passwords.link_issued', 'passwords.chosen']),
    )
    const token = new URL(link).searchParams.get('token') ?? ''
    const { db } = door.latchkey.app.storage
    const stored = JSON.stringify([await db.passwordLink.findMany(), await db.auditEvent.findMany()])
    expect(stored + JSON.stringify(door.latchkey.logged)).not.toContain(token)
  })
})

async function addApp(id: UserId, name: string): Promise<string> {
  const { enrolment } = door.latchkey.app.features.totp.factor
  const request = { requestId: 'r', address: '192.0.2.9', userAgent: '' }
  const holder: Holder = { id: `holder of ${id}`, user: { id, name }, request, locale: 'en', keep: {} }
  if (enrolment === undefined) throw new Error('Nobody can add an app.')
  const view = await enrolment.begin(holder)
  const key = (view.model.groups as readonly string[]).join('')
  await enrolment.finish(holder, { code: codeOf(key, clock.now()), name: 'Phone' })
  clock.advance(60)
  return key
}

describe('where no mail can be sent', () => {
  it('says whom to ask, and sends nothing', async () => {
    const port = String(await freePort())
    await using alone = await openFrontDoor({
      environment: { PORT: port, LATCHKEY_ISSUER: `http://localhost:${port}` },
    })
    const visitor = newVisitor()
    const page = await visitor.get(alone.latchkey.issuer + path)
    expect(page.text).toContain('Ask your administrator')
    expect(page.text).not.toContain('<form')
    const { _csrf = '' } = formsOf(await alone.begin(visitor))[0]?.fields ?? {}
    const answer = await visitor.post(alone.latchkey.issuer + path, { _csrf, identifier: ada.email })
    expect([answer.status, answer.text]).toEqual([409, expect.stringContaining('Ask your administrator')])
    expect(await alone.latchkey.app.storage.db.outboxMessage.count()).toBe(0)
    const links = alone.latchkey.app.features.passwords.passwords
    const { url } = await links.issueLink(alone.adaId, 'reset', { actor: { kind: 'system' } })
    expect((await choose(url, chosen)).status).toBe(303)
    expect((await visitor.get(url)).text).not.toContain(path)
  })
})
