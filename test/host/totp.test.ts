import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ada, auditOf, grace, interactionPath, redirectUri } from '../support/front-door.ts'
import { keyOn, openSecondStep, type SecondStep } from '../support/second-step.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const atTheShop = (page: Page): boolean => page.location?.startsWith(`${redirectUri}?code=`) === true

describe('signing in with an authenticator app', () => {
  let house: SecondStep
  let key: string
  beforeEach(async () => {
    house = await openSecondStep()
    const { visitor } = await house.atAccount(ada)
    key = await house.addApp(visitor)
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const give = async (visitor: Visitor, page: Page, form: Readonly<Record<string, string>>) =>
    await visitor.follow(await visitor.submit(page, form, { action: '/totp' }))

  it('asks for a code after the password, and ends with it', async () => {
    const visitor = newVisitor()
    const page = await house.atSecondStep(visitor)
    expect(page.text).toContain('autocomplete="one-time-code"')
    expect(atTheShop(await give(visitor, page, { code: house.codeNow(key) }))).toBe(true)
    const [signedIn] = (await auditOf(house.latchkey)).filter(
      ({ action, clientId }) => action === 'login.signed_in' && clientId === house.client.id,
    )
    expect(signedIn?.detail).toContain('otp')
    expect(signedIn?.detail).toContain('mfa')
  })

  it('shows the form again after a wrong, an empty and a malformed code, each with its word', async () => {
    const visitor = newVisitor()
    const page = await house.atSecondStep(visitor)
    const wrong = house.codeNow(key) === '123456' ? '654321' : '123456'
    for (const [code, status, words] of [
      [wrong, 401, 'This code is not right.'],
      ['', 400, 'Enter the code that your authenticator app shows.'],
      ['1234567', 400, 'Enter the six digits'],
    ] as const) {
      const again = await visitor.submit(page, { code }, { action: '/totp' })
      expect([again.status, again.text.includes(words)]).toEqual([status, true])
      expect(again.text).toContain('aria-describedby="code-error code-hint"')
      expect(again.text).not.toContain(`value="${code}"`)
    }
    expect((await visitor.submit(page, { code: '12\u00003456' }, { action: '/totp' })).status).toBe(400)
    expect((await visitor.submit(page, { code: '123456', factor: 'x' }, { action: '/totp' })).status).toBe(
      400,
    )
    expect((await visitor.post(page.url, {})).status).toBeGreaterThanOrEqual(400)
    expect(atTheShop(await give(visitor, page, { code: house.codeNow(key) }))).toBe(true)
  })

  it('does not take a code that has signed in once, in this browser or another', async () => {
    const code = house.codeNow(key)
    const first = newVisitor()
    expect(atTheShop(await give(first, await house.atSecondStep(first), { code }))).toBe(true)
    for (const visitor of [newVisitor(), first.clone()]) {
      const page = await house.atSecondStep(visitor, { prompt: 'login' })
      const again = await visitor.submit(page, { code }, { action: '/totp' })
      expect([again.status, again.text.includes('This code was used already.')]).toEqual([401, true])
    }
  })

  it('cannot be begun with the code, nor without it', async () => {
    const visitor = newVisitor()
    const form = await house.begin(visitor)
    const path = interactionPath(form)
    const token = /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? ''
    const early = await visitor.post(`${house.latchkey.issuer}${path}/totp`, {
      _csrf: token,
      code: house.codeNow(key),
    })
    expect(atTheShop(await visitor.follow(early))).toBe(false)
    const enrolment = await visitor.post(`${house.latchkey.issuer}${path}/enrol/totp`, {
      _csrf: token,
      code: house.codeNow(key),
      name: 'Mine',
    })
    expect(atTheShop(await visitor.follow(enrolment))).toBe(false)
    const page = await house.atSecondStep(visitor)
    for (const skipped of [
      '/then/recovery-codes',
      '/later',
      '/enrol/recovery-code',
      '/enrol/totp',
      '/consent',
    ]) {
      const posted = await visitor.post(`${house.latchkey.issuer}${interactionPath(page)}${skipped}`, {
        _csrf: /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '',
        choice: 'later',
        saved: 'yes',
      })
      expect(atTheShop(await visitor.follow(posted))).toBe(false)
    }
    expect(await house.latchkey.app.storage.db.totpAuthenticator.count()).toBe(1)
    expect(atTheShop(await give(visitor, page, { code: house.codeNow(key) }))).toBe(true)
  })

  it('does not accept the code of another person', async () => {
    await house.latchkey.createUser(grace)
    const { visitor: other } = await house.atAccount(grace)
    const hers = await house.addApp(other)
    const visitor = newVisitor()
    const page = await house.atSecondStep(visitor)
    expect((await visitor.submit(page, { code: house.codeNow(hers) }, { action: '/totp' })).status).toBe(401)
  })

  it('waits after a few wrong codes, from however many browsers that know the password', async () => {
    const statuses: number[] = []
    for (let index = 0; index < 6; index += 1) {
      const visitor = newVisitor()
      const page = await house.atSecondStep(visitor)
      const wrong = house.codeNow(key) === `00000${index}` ? '999999' : `00000${index}`
      statuses.push((await visitor.submit(page, { code: wrong }, { action: '/totp' })).status)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  })

  it('writes no key and no code into the log', async () => {
    const visitor = newVisitor()
    const code = house.codeNow(key)
    await give(visitor, await house.atSecondStep(visitor), { code })
    const page = await house.account(visitor, 'security/totp/add')
    const logged = house.latchkey.logged.join('\n')
    for (const secret of [key, keyOn(page), `"${code}"`]) expect(logged).not.toContain(secret)
  })
})

describe('a sign-in that demands a second factor', () => {
  let house: SecondStep
  beforeEach(async () => {
    house = await openSecondStep()
  })
  afterEach(() => house[Symbol.asyncDispose]())

  const demanding = { acr_values: 'urn:latchkey:acr:multi-factor' }

  it('has an app added in its middle, then offers recovery codes, and goes on', async () => {
    const visitor = newVisitor()
    const choice = await house.atSecondStep(visitor, demanding)
    const path = interactionPath(choice)
    expect(choice.text).toContain(`${path}/enrol/totp`)
    const adding = await visitor.get(`${house.latchkey.issuer}${path}/enrol/totp`)
    const key = keyOn(adding)
    const wrong = house.codeNow(key) === '123456' ? '654321' : '123456'
    const refused = await visitor.submit(adding, { code: wrong, name: 'Phone' }, { action: '/enrol/totp' })
    expect([refused.status, keyOn(refused)]).toEqual([401, key])
    const code = house.codeNow(key)
    const codes = await visitor.follow(
      await visitor.submit(refused, { code, name: 'Phone' }, { action: '/enrol/totp' }),
    )
    expect(codes.text).toContain('I have saved the codes')
    const unsaved = await visitor.submit(codes, {}, { action: '/enrol/recovery-code' })
    expect([unsaved.status, unsaved.text.includes('saved-error')]).toEqual([400, true])
    const done = await house.onward(
      visitor,
      await visitor.submit(unsaved, { saved: 'yes' }, { action: '/enrol/recovery-code' }),
    )
    expect(atTheShop(done)).toBe(true)
    expect(await house.latchkey.app.storage.db.recoveryCode.count()).toBe(10)

    // The code that confirmed the app is spent.
    const other = newVisitor()
    const page = await house.atSecondStep(other)
    expect((await other.submit(page, { code }, { action: '/totp' })).status).toBe(401)
  })
})
