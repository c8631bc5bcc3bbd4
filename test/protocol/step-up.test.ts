/** Step-up by `acr_values` (RFC 9470), by the claims parameter (OpenID Connect Core 1.0 §5.5.1.1) and by the client's own rule. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Kept } from '../../src/features/feature.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { request } from '../support/people.ts'
import { answered, isSignIn, type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { codeOf, enrolmentOf } from '../support/second-factors.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a builder of castles 7' }
const single = 'urn:latchkey:acr:single-factor'
const multi = 'urn:latchkey:acr:multi-factor'
const resistant = 'urn:latchkey:acr:phishing-resistant'
const essential = (acr: object): { claims: string } => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, ...acr } } }),
})

describe('step-up', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let payroll: RelyingParty
  let adaId: string
  let key: string

  beforeAll(async () => {
    latchkey = await startLatchkey()
    adaId = await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    key = await addApp(adaId as UserId)
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
    payroll = await relyingParty(latchkey, {
      name: 'Payroll',
      firstParty: true,
      requiredLevel: 'multi-factor',
    })
  })
  afterAll(() => latchkey.close())

  const addApp = async (id: UserId, keep: Kept = {}): Promise<string> => {
    const enrolment = enrolmentOf(latchkey.app.features.totp)
    const holder = { id: 'holder', user: { id, name: ada.email }, request, locale: 'en', keep }
    const { model } = await enrolment.begin(holder)
    const secret = (model.groups as readonly string[]).join('')
    await enrolment.finish(holder, { code: codeOf(secret, new Date()), name: 'Phone' })
    return secret
  }

  const ask = async (
    visitor: Visitor,
    party: RelyingParty,
    parameters: Readonly<Record<string, string>> = {},
  ) => {
    const request = await party.request(parameters)
    return { request, page: await visitor.follow(await visitor.get(request.url)) }
  }
  const isSecondStep = (page: Page): boolean => formsOf(page).some(({ action }) => action.endsWith('/totp'))
  const giveCode = async (visitor: Visitor, page: Page): Promise<Page> => {
    const code = codeOf(key, new Date())
    // Several sign-ins in one time step are several minutes apart in life.
    await latchkey.app.storage.db.totpAuthenticator.updateMany({ data: { lastStep: 0 } })
    return await visitor.follow(await visitor.submit(page, { code }, { action: '/totp' }))
  }
  const givePassword = async (visitor: Visitor, page: Page, { email, password } = ada): Promise<Page> =>
    await visitor.follow(await visitor.submit(page, { identifier: email, password }, { action: '/password' }))

  /** A browser in which somebody without a second factor is signed in, with a password alone. */
  const signedInByPassword = async (): Promise<Visitor> => {
    const visitor = newVisitor()
    await shop.signIn(visitor, bob)
    return visitor
  }

  it('asks whoever has a second factor for it, and says so in the ID token', async () => {
    const visitor = newVisitor()
    const { request: sent, page } = await ask(visitor, shop)
    const second = await givePassword(visitor, page)
    expect(isSecondStep(second)).toBe(true)
    const { location } = await giveCode(visitor, second)
    const tokens = await shop.redeem(sent, location)
    expect(tokens.claims()).toMatchObject({ acr: multi, amr: ['pwd', 'otp', 'mfa'], sub: adaId })
  })

  it('does not let the password alone through, however the second step is left out', async () => {
    const visitor = newVisitor()
    const { page } = await ask(visitor, shop)
    const second = await givePassword(visitor, page)
    const { pathname } = new URL(page.url)
    for (const path of ['', '/password', '/recovery-code', '/enrol/totp', '/later', '/then/terms']) {
      const answer =
        path === '' ? await visitor.get(second.url) : await visitor.submit(second, {}, { action: '/totp' })
      expect([path, answer.location ?? 'page']).toEqual([path, 'page'])
      const posted = await visitor.post(`${latchkey.issuer}${pathname}${path}`, {
        _csrf: formsOf(second)[0]?.fields._csrf ?? '',
        identifier: ada.email,
        password: ada.password,
      })
      expect(new URL((await visitor.follow(posted)).url).pathname).toMatch(/^\/interaction\//)
    }
  })

  describe('by acr_values', () => {
    it('asks a session that is worth too little for more, and for nothing where it is worth enough', async () => {
      const visitor = await signedInByPassword()
      expect((await ask(visitor, shop)).page.location).toContain('code=')
      expect((await ask(visitor, shop, { acr_values: single })).page.location).toContain('code=')
      const { page } = await ask(visitor, shop, { acr_values: multi })
      expect(page.location).toBeUndefined()
      // Bob has nothing more to prove: he is asked to set it up, once he has shown that it is still he.
      expect(page.text).not.toContain('/enrol/')
      expect((await givePassword(visitor, page, bob)).text).toContain('/enrol/')
    })

    it('is content with the least of several, and leaves those alone that are not ours', async () => {
      const visitor = await signedInByPassword()
      for (const acr_values of [`${resistant} ${single}`, 'urn:example:gold', `urn:example:gold ${single}`])
        expect((await ask(visitor, shop, { acr_values })).page.location).toContain('code=')
    })

    it('answers prompt=none with an error and no page', async () => {
      const visitor = await signedInByPassword()
      const { page } = await ask(visitor, shop, { acr_values: multi, prompt: 'none' })
      expect(answered(page.location)).toMatchObject({ error: 'login_required' })
    })

    it('reports what was asked for, where the session is worth more', async () => {
      const visitor = newVisitor()
      const { request, page } = await ask(visitor, shop, { acr_values: single })
      const { location } = await giveCode(visitor, await givePassword(visitor, page))
      expect((await shop.redeem(request, location)).claims()).toMatchObject({ acr: single })
      const again = await ask(visitor, shop)
      expect((await shop.redeem(again.request, again.page.location)).claims()).toMatchObject({ acr: multi })
    })
  })

  describe('by the claims parameter', () => {
    it('asks for what is essential, by value and by values', async () => {
      const visitor = await signedInByPassword()
      for (const acr of [{ value: multi }, { values: [resistant, multi] }]) {
        const { page } = await ask(visitor, shop, essential(acr))
        expect((await givePassword(visitor, page, bob)).text).toContain('/enrol/')
      }
      const { request, page } = await ask(visitor, shop, essential({ values: [single] }))
      expect((await shop.redeem(request, page.location)).claims()).toMatchObject({ acr: single })
    })

    it('refuses what cannot be reached here instead of asking for ever', async () => {
      const visitor = await signedInByPassword()
      const { page } = await ask(visitor, shop, essential({ value: 'urn:example:gold' }))
      expect(answered(page.location)).toMatchObject({ error: 'unmet_authentication_requirements' })
    })

    it.each([
      '{"id_token":{"acr":{"essential":true,"values":"x"}}}',
      '{"id_token":{"acr":null}}',
      '[]',
      '{"id_token":1}',
    ])('bears %s', async (claims) => {
      const { page } = await ask(await signedInByPassword(), shop, { claims })
      expect(page.status).toBeLessThan(500)
    })
  })

  describe('by a client that requires it', () => {
    it('asks for the second factor although the session came by without, and keeps it for the other client', async () => {
      const visitor = newVisitor()
      const first = await ask(visitor, payroll)
      const { location } = await giveCode(visitor, await givePassword(visitor, first.page))
      expect((await payroll.redeem(first.request, location)).claims()).toMatchObject({ acr: multi })
      const second = await ask(visitor, shop)
      expect((await shop.redeem(second.request, second.page.location)).claims()).toMatchObject({ acr: multi })
    })

    it('asks a session that began with the password for the second factor alone, whose time stays that of the password', async () => {
      const carol = { email: 'carol@example.test', name: 'Carol', password: 'a singer of carols 9' }
      const id = await latchkey.createUser(carol)
      const visitor = newVisitor()
      const before = (await shop.signIn(visitor, carol)).claims()
      const { db } = latchkey.app.storage
      const session = await db.artefact.findFirstOrThrow({ where: { model: 'Session', userId: id } })
      const own = await addApp(id as UserId, { sessionUid: session.sessionUid ?? '' })
      await db.totpAuthenticator.updateMany({ data: { lastStep: 0 } })
      const { request: sent, page } = await ask(visitor, payroll)
      expect([isSignIn(page), isSecondStep(page)]).toEqual([false, true])
      const code = codeOf(own, new Date())
      const { location } = await visitor.follow(await visitor.submit(page, { code }, { action: '/totp' }))
      expect((await payroll.redeem(sent, location)).claims()).toMatchObject({
        acr: multi,
        amr: ['pwd', 'otp', 'mfa'],
        auth_time: before?.auth_time,
      })
    })

    it('lets nobody in who has no second factor and sets none up', async () => {
      const visitor = await signedInByPassword()
      const { page: confirmation } = await ask(visitor, payroll)
      expect(confirmation.text).not.toContain('/enrol/')
      const early = `${new URL(confirmation.url).pathname}/enrol/totp`
      expect((await visitor.follow(await visitor.get(`${latchkey.issuer}${early}`))).text).not.toContain(
        '/enrol/',
      )
      const page = await givePassword(visitor, confirmation, bob)
      expect(page.text).toContain('/enrol/')
      const { pathname } = new URL(confirmation.url)
      const csrf = { _csrf: formsOf(page)[0]?.fields._csrf ?? '' }
      const skipped = await visitor.follow(await visitor.post(`${latchkey.issuer}${pathname}/later`, csrf))
      expect(skipped.text).toContain('/enrol/')
    })

    it('is explained by the command line', async () => {
      const { policy } = latchkey.app.features
      const [why] = policy.commands ?? []
      const { text } = (await why?.run({ user: bob.email, client: payroll.client.id })) ?? { text: '' }
      expect(text).toContain('multi-factor: the client')
      expect(text).toMatch(/password: .*totp.* must be added first/)
      const { text: hers } = (await why?.run({ user: ada.email, client: payroll.client.id })) ?? { text: '' }
      expect(hers).toMatch(/password, then totp.*: signed in, multi-factor/)
    })

    it('is told in the record of the sign-in', async () => {
      const events = await latchkey.app.storage.db.auditEvent.findMany({
        where: { action: 'login.signed_in', clientId: payroll.client.id },
      })
      expect(JSON.parse(events[0]?.detail ?? '{}')).toMatchObject({
        level: 'multi-factor',
        demanded: expect.arrayContaining(['multi-factor: the client']),
        proven: ['password', 'totp'],
      })
    })
  })
})
