import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { movableClock } from '../support/clock.ts'
import { ada, type FrontDoor, grace, openFrontDoor } from '../support/front-door.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const password = 'seven purple umbrellas'
const panel = '/account/profile/address'
const isCallback = /^http:\/\/localhost:9999\/callback\?.*code=/

describe('the address on the account pages', () => {
  const clock = movableClock()
  let door: FrontDoor
  let id: string
  let email: string
  let wanted: string
  let count = 0
  beforeAll(async () => {
    const caps = { LATCHKEY_MAIL_ADDRESS_PER_HOUR: '1000', LATCHKEY_MAIL_ACCOUNT_PER_HOUR: '1000' }
    door = await openFrontDoor({ clock, environment: caps })
    await door.latchkey.createUser(grace)
  })
  afterAll(() => door[Symbol.asyncDispose]())
  beforeEach(async () => {
    count += 1
    email = `person${count}@example.test`
    wanted = `wanted${count}@example.test`
    id = await door.latchkey.createUser({ email, password })
  })

  const at = (path: string): string => `${door.latchkey.issuer}${path}`
  const user = () => door.latchkey.app.features.users.users.get(id)
  const signedIn = async (): Promise<Visitor> => {
    const visitor = newVisitor()
    const form = await visitor.follow(await visitor.get(at('/account')))
    await visitor.follow(await visitor.submit(form, { identifier: email, password }, { action: '/password' }))
    return visitor
  }
  const mailed = async (to: string) => {
    const mail = (await door.latchkey.mails()).filter((each) => each.to === to && each.code !== '').at(-1)
    return { code: mail?.code ?? '', link: mail?.link ?? '' }
  }
  const ask = async (visitor: Visitor, address: string) =>
    await visitor.submit(await visitor.get(at(`${panel}/change`)), { email: address }, { action: '/change' })

  it('is confirmed with the mailed code', async () => {
    const visitor = await signedIn()
    const before = await visitor.get(at('/account'))
    expect(before.text).toContain('Not confirmed')
    const asked = await visitor.follow(await visitor.submit(before, {}, { action: `${panel}/verify` }))
    expect(asked.text).toContain('We have sent you a mail with a code.')
    const wrong = await visitor.submit(asked, { code: '0000 0000' }, { action: `${panel}/confirm` })
    expect([wrong.status, wrong.text.includes('aria-invalid="true"')]).toEqual([401, true])
    const { code } = await mailed(email)
    const done = await visitor.follow(await visitor.submit(wrong, { code }, { action: `${panel}/confirm` }))
    expect(done.text).toContain('Your e-mail address is confirmed.')
    expect(done.text).not.toContain('Not confirmed')
    expect((await user()).emailVerified).toBe(true)
  })

  it('is changed by the code, which ends every other session and keeps this one', async () => {
    const [visitor, elsewhere] = [await signedIn(), await signedIn()]
    const asked = await visitor.follow(await ask(visitor, wanted))
    expect(asked.text).toContain(wanted)
    expect((await user()).email).toBe(email)
    expect((await elsewhere.get(at('/account'))).status).toBe(200)
    const { code } = await mailed(wanted)
    const there = await elsewhere.get(at('/account'))
    expect(there.text).toContain('in another browser')
    const csrf = /name="_csrf" value="([^"]+)"/.exec(there.text)?.[1] ?? ''
    const refused = await elsewhere.post(at(`${panel}/confirm`), { _csrf: csrf, code })
    expect(refused.status).toBe(410)
    await visitor.submit(asked, { code }, { action: `${panel}/confirm` })
    expect(await user()).toMatchObject({ email: wanted, emailVerified: true })
    expect((await visitor.get(at('/account'))).status).toBe(200)
    expect((await elsewhere.get(at('/account'))).status).toBe(303)
  })

  it('is changed by the link in a browser that is not signed in, and opening it changes nothing', async () => {
    const visitor = await signedIn()
    await ask(visitor, wanted)
    const { link } = await mailed(wanted)
    const stranger = newVisitor()
    for (const method of ['GET', 'HEAD', 'GET']) await fetch(link, { method })
    const opened = await stranger.get(link)
    expect(opened.text).toContain(wanted)
    expect((await user()).email).toBe(email)
    const done = await stranger.submit(opened, {}, { action: '/link/address' })
    expect(done.text).toContain('Thank you')
    expect((await user()).email).toBe(wanted)
    expect((await stranger.get(at('/account'))).status).toBe(303)
    expect((await visitor.get(at('/account'))).status).toBe(200)
    const again = await stranger.get(link)
    expect([again.status, again.text.includes('This link no longer works')]).toEqual([410, true])
    expect((await stranger.submit(opened, {}, { action: '/link/address' })).status).toBe(410)
  })

  it('is changed only by who has just proven who he is', async () => {
    const visitor = await signedIn()
    const form = await visitor.get(at(`${panel}/change`))
    clock.advance(3_600)
    const late = await visitor.submit(form, { email: wanted }, { action: '/change' })
    expect(late.status).toBe(303)
    expect((await visitor.follow(late)).text).toContain('type="password"')
    expect(await door.latchkey.app.features.addresses.addresses.find((await user()).id)).toBeUndefined()
  })

  it('looks the same where somebody else has the wanted one', async () => {
    const visitor = await signedIn()
    const pages = async (address: string) => {
      const asked = await ask(visitor, address)
      const shown = await visitor.follow(asked)
      clock.advance(120)
      return [asked.status, shown.status, shown.text.replaceAll(address, '…').replace(/"[^"]{20,}"/g, '"…"')]
    }
    const free = await pages(wanted)
    const taken = await pages(grace.email)
    expect(taken.map(masked)).toEqual(free.map(masked))
  })

  const masked = (part: unknown): string => String(part).replace(/works until [^<]*/, 'works until …')

  it.each(['', 'no address', 'a@example.test\r\nBcc: b@example.test', 'a@example.test\0', 'а@example.test'])(
    'refuses %j beside its field, and says what an address looks like',
    async (address) => {
      const visitor = await signedIn()
      const refused = await ask(visitor, address)
      expect(refused.status).toBe(400)
      if (!address.includes('\0')) expect(refused.text).toContain('Enter an e-mail address like')
      expect((await user()).email).toBe(email)
    },
  )

  it('stays when the change is called off', async () => {
    const visitor = await signedIn()
    const asked = await visitor.follow(await ask(visitor, wanted))
    const { link } = await mailed(wanted)
    const off = await visitor.follow(await visitor.submit(asked, {}, { action: `${panel}/cancel` }))
    expect(off.text).toContain('Your e-mail address stays as it is.')
    expect((await visitor.get(link)).status).toBe(410)
  })

  it('cannot be changed by another person, nor without a token of the form', async () => {
    const visitor = await signedIn()
    await ask(visitor, wanted)
    const { code } = await mailed(wanted)
    const other = await door.signedIn()
    const account = await other.get(at('/account'))
    const csrf = /name="_csrf" value="([^"]+)"/.exec(account.text)?.[1] ?? ''
    const refused = await other.post(at(`${panel}/confirm`), { _csrf: csrf, code })
    expect(refused.status).toBe(410)
    expect((await visitor.post(at(`${panel}/confirm`), { code })).status).toBe(403)
    expect((await door.latchkey.app.features.users.users.get(door.adaId)).email).toBe(ada.email)
  })
})

describe('a sign-in that demands a confirmed address', () => {
  it('asks for the mailed code before it ends', async () => {
    await using door = await openFrontDoor({ environment: { LATCHKEY_ADDRESSES_VERIFICATION: 'required' } })
    const visitor = newVisitor()
    const asked = await door.signIn(visitor)
    expect(asked.text).toContain('Confirm your e-mail address')
    expect(await door.latchkey.mails()).toEqual([])
    const sent = await visitor.follow(
      await visitor.submit(asked, { send: 'yes' }, { action: '/verify-address' }),
    )
    expect(sent.text).toContain('We have sent a code to')
    const wrong = await visitor.submit(sent, { code: '0000 0000' }, { action: '/verify-address' })
    expect(wrong.status).toBe(401)
    // Skipping it leads nowhere.
    const skipped = await visitor.follow(await visitor.get(door.authorizationUrl()))
    expect(skipped.location ?? '').not.toMatch(isCallback)
    const [mail] = await door.latchkey.mails()
    const done = await visitor.follow(
      await visitor.submit(wrong, { code: mail?.code ?? '' }, { action: '/verify-address' }),
    )
    expect(done.location).toMatch(isCallback)
    const { users } = door.latchkey.app.features.users
    expect((await users.get(door.adaId)).emailVerified).toBe(true)
    const stranger = newVisitor()
    expect((await door.signIn(stranger)).location).toMatch(isCallback)
  })
})
