/** What guards an account is proven anew before anything may be added to it or taken from it (security: re-authentication). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ada, redirectUri } from '../support/front-door.ts'
import { openSecondStep, type SecondStep } from '../support/second-step.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const resistant = 'urn:latchkey:acr:phishing-resistant'
const asksForCode = (page: Page): boolean => page.text.includes('autocomplete="one-time-code"')
const atTheShop = (page: Page): boolean => page.location?.startsWith(`${redirectUri}?code=`) === true
const actionsOn = (page: Page): readonly string[] =>
  formsOf(page).map(({ action }) => new URL(action).pathname)

let house: SecondStep
let key: string
beforeEach(async () => {
  house = await openSecondStep({ environment: { LATCHKEY_REGISTRATIONS_MODE: 'open' } })
  const { visitor } = await house.atAccount(ada)
  key = await house.addApp(visitor)
})
afterEach(() => house[Symbol.asyncDispose]())

/** Ada's own browser, which she trusts, without its session: all that a thief of the laptop finds, and the password. */
const stolen = async (): Promise<Visitor> => {
  const visitor = newVisitor()
  const page = await house.atSecondStep(visitor)
  await visitor.submit(page, { code: house.codeNow(key), trust: 'yes' }, { action: '/totp' })
  house.clock.advance(60)
  return newVisitor(visitor.cookies.filter(({ name }) => name.startsWith('latchkey_device')))
}

describe('on a device that is trusted', () => {
  it('the password signs in, and changes nothing of how one signs in', async () => {
    const thief = await stolen()
    expect(atTheShop(await house.atSecondStep(thief))).toBe(true)
    for (const path of ['security/totp/add', 'security/recovery-codes/make', 'security/passkeys/add']) {
      const page = await thief.follow(await house.account(thief, path))
      expect([path, actionsOn(page).some((action) => action.endsWith('/password'))]).toEqual([path, true])
      const next = await thief.follow(
        await thief.submit(page, { password: ada.password }, { action: '/password' }),
      )
      expect([path, asksForCode(next)]).toEqual([path, true])
    }
  })

  it('a posted act does nothing without the second step, however lately the password was given', async () => {
    const thief = await stolen()
    await house.atSecondStep(thief)
    const { db } = house.latchkey.app.storage
    const { id } = await db.totpAuthenticator.findFirstOrThrow()
    const page = await house.account(thief, 'security')
    const csrf = formsOf(page)[0]?.fields._csrf ?? ''
    const answer = await thief.post(`${house.latchkey.issuer}/account/security/totp/remove`, {
      _csrf: csrf,
      id,
    })
    expect(new URL(answer.location ?? '').pathname).toBe('/auth')
    expect(await db.totpAuthenticator.count()).toBe(1)
  })

  it('no passkey is offered, whatever the browser says that it can do', async () => {
    const thief = await stolen()
    const form = await house.begin(thief)
    const fields = { identifier: ada.email, password: ada.password, able: 'passkeys' }
    expect(atTheShop(await thief.follow(await thief.submit(form, fields, { action: '/password' })))).toBe(
      true,
    )
  })

  it('a request that wants to see a proof now is not answered by it, whatever else it asks for', async () => {
    const thief = await stolen()
    const requests: Record<string, string>[] = [
      { prompt: 'login' },
      { max_age: '0' },
      { prompt: 'create login' },
      { prompt: 'create', max_age: '0' },
    ]
    for (const params of requests) {
      const page = await house.begin(thief, params)
      const { pathname } = new URL(page.url)
      const uid = pathname.split('/')[2] ?? ''
      const first = await thief.get(`${house.latchkey.issuer}/interaction/${uid}/other`)
      const next = await thief.follow(
        await thief.submit(first, { identifier: ada.email, password: ada.password }, { action: '/password' }),
      )
      expect([params, asksForCode(next)]).toEqual([params, true])
    }
  })
})

describe('what is offered after a sign-in', () => {
  it('is offered to a browser that can use it, and to no other', async () => {
    const offered = async (able: Record<string, string>): Promise<boolean> => {
      const visitor = newVisitor()
      const fields = { identifier: 'root@example.test', password: 'the keys of the house 1', ...able }
      const page = await visitor.submit(await house.begin(visitor), fields, { action: '/password' })
      return actionsOn(await visitor.follow(page)).some((action) => action.includes('/then/'))
    }
    expect(await offered({ able: 'passkeys' })).toBe(true)
    for (const able of [{}, { able: '' }, { able: 'anything' }, { able: 'passkeys,passkeys' }])
      expect(await offered(able as Record<string, string>)).toBe(false)
  })
})

describe('in a session of before', () => {
  it('a passkey is not made without the password and the second step, though the session had both', async () => {
    const visitor = newVisitor()
    const page = await house.atSecondStep(visitor)
    await visitor.follow(await visitor.submit(page, { code: house.codeNow(key) }, { action: '/totp' }))
    house.clock.advance(60)
    const asked = await house.begin(visitor, { acr_values: resistant })
    expect(actionsOn(asked).some((action) => action.includes('/enrol/'))).toBe(false)
    const { pathname } = new URL(asked.url)
    const uid = pathname.split('/')[2] ?? ''
    const early = await visitor.follow(
      await visitor.get(`${house.latchkey.issuer}/interaction/${uid}/enrol/passkey`),
    )
    expect(actionsOn(early).some((action) => action.includes('/enrol/'))).toBe(false)
    const second = await visitor.follow(
      await visitor.submit(asked, { password: ada.password }, { action: '/password' }),
    )
    expect(asksForCode(second)).toBe(true)
    const last = await visitor.follow(
      await visitor.submit(second, { code: house.codeNow(key) }, { action: '/totp' }),
    )
    expect(last.text).toContain('/enrol/passkey')
  })
})
