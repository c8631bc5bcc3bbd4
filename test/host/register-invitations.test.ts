import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { ada, type FrontDoor, interactionPath, openFrontDoor } from '../support/front-door.ts'
import {
  codeFor,
  hasArrived,
  mailTo,
  newPassword,
  registrationForm,
  registrationOpen,
  typeCode,
  usersWith,
} from '../support/registering.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

let door: FrontDoor
let clock: FixedClock
let count = 0
const newAddress = (): string => `guest${++count}@example.test`

const post = async (visitor: Visitor, page: Page, fields: Record<string, string>): Promise<Page> => {
  const { _csrf = '' } = formsOf(page)[0]?.fields ?? {}
  const url = `${door.latchkey.issuer}${interactionPath(page)}/register`
  return await visitor.post(url, { _csrf, password: newPassword, ...fields })
}

describe('where nobody may make an account', () => {
  beforeAll(async () => {
    door = await openFrontDoor()
  })
  afterAll(() => door[Symbol.asyncDispose]())

  it('offers none, and refuses one that is posted past the pages', async () => {
    const visitor = newVisitor()
    const page = await registrationForm(door, visitor)
    expect(page.text).toContain('name="identifier"')
    expect(page.text).not.toContain('/register"')
    const path = `${door.latchkey.issuer}${interactionPath(page)}/register`
    expect((await visitor.get(path)).status).toBe(403)
    const email = newAddress()
    expect((await post(visitor, page, { email })).status).toBe(403)
    const { _csrf = '' } = formsOf(page)[0]?.fields ?? {}
    expect((await visitor.post(`${path}/code`, { _csrf, code: '1234 5678' })).status).toBe(403)
    for (const query of ['', `?invitation=${'a'.repeat(43)}`])
      expect((await visitor.get(`${door.latchkey.issuer}/register${query}`)).status).toBe(403)
    expect([await usersWith(door, email), await mailTo(door, email)]).toEqual([0, undefined])
  })

  it('makes no invitation, either', async () => {
    await expect(
      door.latchkey.app.features.registrations.resource.create({}, commandLineActor),
    ).rejects.toThrow(expect.objectContaining({ code: 'registrations.no_invitations' }))
  })
})

describe('where an account is made by invitation', () => {
  beforeAll(async () => {
    clock = fixedClock(new Date())
    const environment = { ...registrationOpen, LATCHKEY_REGISTRATIONS_MODE: 'invitation' }
    door = await openFrontDoor({ clock, environment })
    await door.latchkey.app.features.setup.setup.createFirstAdministrator(
      { email: 'root@example.test', password: 'the keys of the house 1' },
      commandLineActor,
    )
  })
  afterAll(() => door[Symbol.asyncDispose]())
  // Of other mails of the moment before.
  beforeEach(() => clock.advance(1))

  const invite = async (input: Record<string, unknown> = {}) => {
    const { resource } = door.latchkey.app.features.registrations
    const { item, reveals } = await resource.create(
      accept(parseCreate(resource.fields, input)),
      commandLineActor,
    )
    return { item, link: reveals?.link ?? '' }
  }
  const open = async (visitor: Visitor, link: string): Promise<Page> =>
    await visitor.follow(await visitor.get(link))
  const register = async (visitor: Visitor, page: Page, email: string): Promise<Page> => {
    const sent = await visitor.follow(await post(visitor, page, { email }))
    return await typeCode(visitor, sent, await codeFor(door, email))
  }

  it('makes one with the link, once, and signs the person in', async () => {
    const { link, item } = await invite()
    const visitor = newVisitor()
    const page = await open(visitor, link)
    expect(page.url).toMatch(/\/register$/)
    const email = newAddress()
    const done = await register(visitor, page, email)
    expect([done.status, await usersWith(door, email)]).toEqual([200, 1])
    expect(visitor.cookies.some(({ name }) => name.includes('invitation'))).toBe(false)
    expect((await newVisitor().get(link)).status).toBe(403)
    const { resource } = door.latchkey.app.features.registrations
    expect(await resource.find(item.id)).toMatchObject({ state: 'used' })
  })

  it('is asked for where somebody comes without', async () => {
    const visitor = newVisitor()
    const page = await registrationForm(door, visitor)
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('An invitation is needed')])
    const email = newAddress()
    const signIn = await visitor.get(`${door.latchkey.issuer}${interactionPath(page)}/other`)
    expect(signIn.text).not.toContain('/register"')
    expect((await post(visitor, signIn, { email })).status).toBe(403)
    expect(await mailTo(door, email)).toBeUndefined()
  })

  it('works in the sign-in of any application of this browser', async () => {
    const { link } = await invite()
    const visitor = newVisitor()
    await visitor.get(link)
    const done = await register(visitor, await registrationForm(door, visitor), newAddress())
    expect(hasArrived(done)).toBe(true)
  })

  it('makes one account of 20 who have the link, at the same time', async () => {
    const { link } = await invite()
    const guests = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const visitor = newVisitor()
        const email = newAddress()
        const sent = await visitor.follow(await post(visitor, await open(visitor, link), { email }))
        return { visitor, email, sent }
      }),
    )
    const codes = new Map((await door.latchkey.mails()).map(({ to, code }) => [to, code]))
    const answers = await Promise.all(
      guests.map(({ visitor, email, sent }) =>
        visitor.submit(sent, { code: codes.get(email) ?? '' }, { action: '/code' }),
      ),
    )
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(19)
    const users = await Promise.all(guests.map(({ email }) => usersWith(door, email)))
    expect(users.reduce((sum, each) => sum + each, 0)).toBe(1)
  })

  it('for an address is mailed there, and makes an account with no other', async () => {
    const email = newAddress()
    const { link } = await invite({ email })
    expect((await mailTo(door, email))?.link).toBe(link)
    const visitor = newVisitor()
    const page = await open(visitor, link)
    expect(page.text).toContain(email)
    const other = newAddress()
    for (const given of [other, `${email}, ${other}`, `${email}.example.test`])
      expect((await post(visitor, page, { email: given })).status).toBe(400)
    expect(await mailTo(door, other)).toBeUndefined()
    clock.advance(1)
    const done = await register(visitor, page, email)
    expect([done.status, await usersWith(door, email), await usersWith(door, other)]).toEqual([200, 1, 0])
  })

  it('ends with its time and when it is withdrawn, also under way', async () => {
    const { resource } = door.latchkey.app.features.registrations
    for (const end of ['expired', 'withdrawn'] as const) {
      const { link, item } = await invite()
      const visitor = newVisitor()
      const email = newAddress()
      const sent = await visitor.follow(await post(visitor, await open(visitor, link), { email }))
      const code = await codeFor(door, email)
      if (end === 'withdrawn') await resource.delete(item, commandLineActor)
      else {
        const soon = new Date(clock.now().getTime() + 1_000).toISOString()
        await resource.update(item, { expiresAt: soon }, commandLineActor)
        clock.advance(1)
      }
      expect((await visitor.submit(sent, { code }, { action: '/code' })).status).toBe(403)
      expect((await newVisitor().get(link)).status).toBe(403)
      expect(await usersWith(door, email)).toBe(0)
    }
  })

  it('is not made for who has an account, nor for what is no address', async () => {
    const { resource } = door.latchkey.app.features.registrations
    const refused = async (input: Record<string, unknown>) =>
      await resource.create(input, commandLineActor).then(
        () => undefined,
        ({ code }) => code,
      )
    expect(await refused({ email: ada.email })).toBe('registrations.address_taken')
    expect(await refused({ email: 'a@example.test\r\nBcc: b@example.test' })).toBe('users.email_invalid')
    expect(await refused({ expiresAt: '2020-01-01T00:00:00Z' })).toBe('registrations.end_in_the_past')
  })

  it('is stored as a hash alone, and a made-up one opens nothing', async () => {
    const { link } = await invite()
    const token = new URL(link).searchParams.get('invitation') ?? ''
    const { db } = door.latchkey.app.storage
    const stored = JSON.stringify([await db.invitation.findMany(), await db.auditEvent.findMany()])
    expect(token).toHaveLength(43)
    expect(stored).not.toContain(token)
    expect(JSON.stringify(door.latchkey.logged)).not.toContain(token)
    for (const made of ['', 'a'.repeat(43), 'a'.repeat(5_000), `${token}&invitation=${token}`])
      expect((await newVisitor().get(`${door.latchkey.issuer}/register?invitation=${made}`)).status).toBe(403)
  })
})
