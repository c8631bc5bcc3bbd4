import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  isConsent,
  isSignIn,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a builder of castles 7' }
/** There is no way back before the end: what has happened later would lie in the future. */
const later = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000)

describe('parameters of a sign-in', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let blog: RelyingParty
  let guest: RelyingParty
  let adaId: string

  beforeAll(async () => {
    latchkey = await startLatchkey()
    adaId = await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
    blog = await relyingParty(latchkey, { name: 'Blog', firstParty: true })
    guest = await relyingParty(latchkey, { name: 'Guest' })
  })
  afterAll(async () => {
    vi.useRealTimers()
    await latchkey.close()
  })

  /** The first page or the answer to the application, for a request with these parameters. */
  const ask = async (
    visitor: Visitor,
    party: RelyingParty,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Page> => await visitor.follow(await visitor.get((await party.request(parameters)).url))
  const signedIn = async (): Promise<Visitor> => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    return visitor
  }

  describe('the ID token', () => {
    it('says who signed in, how, when and in which session', async () => {
      const before = Math.floor(Date.now() / 1000)
      const request = await shop.request({ nonce: 'a nonce of the shop' })
      const tokens = await shop.redeem(request, await walkThrough(newVisitor(), request.url, ada))
      expect(tokens.claims()).toMatchObject({
        iss: latchkey.issuer,
        aud: shop.client.id,
        sub: adaId,
        acr: 'urn:latchkey:acr:single-factor',
        amr: ['pwd'],
        nonce: 'a nonce of the shop',
        sid: expect.stringMatching(/^[\w-]{20,}$/),
      })
      const { auth_time: at = 0, exp = 0, iat = 0 } = tokens.claims() ?? {}
      expect(at).toBeGreaterThanOrEqual(before)
      expect(at).toBeLessThanOrEqual(iat)
      expect(exp - iat).toBe(3600)
    })

    it.each(['RS256', 'ES256', 'EdDSA'])(
      'is signed with %s where the client is registered so, and verifies',
      async (idTokenAlgorithm) => {
        const { enableNonRepudiationChecks } = await import('openid-client')
        const party = await relyingParty(latchkey, { name: 'Picky', firstParty: true, idTokenAlgorithm })
        enableNonRepudiationChecks(party.configuration)
        const tokens = await party.signIn(newVisitor(), ada)
        const header = JSON.parse(
          Buffer.from(tokens.id_token?.split('.')[0] ?? '', 'base64url').toString(),
        ) as unknown
        expect(header).toMatchObject({ alg: idTokenAlgorithm, kid: expect.any(String) })
      },
    )
  })

  describe('single sign-on', () => {
    it('needs no page at a second application, and tells it the time of the sign-in that was', async () => {
      const visitor = newVisitor()
      const first = await shop.signIn(visitor, ada)
      later(100)
      const request = await blog.request()
      const page = await visitor.get(request.url)
      const second = await blog.redeem(request, page.location)
      expect(second.claims()).toMatchObject({ sub: adaId, auth_time: first.claims()?.auth_time })
      expect(second.claims()?.sid).not.toBe(first.claims()?.sid)
    })
  })

  describe('prompt', () => {
    it('none is login_required without a session, and shows no page', async () => {
      const page = await newVisitor().get((await shop.request({ prompt: 'none', state: 'kept' })).url)
      expect(answered(page.location)).toMatchObject({
        error: 'login_required',
        state: 'kept',
        iss: latchkey.issuer,
      })
    })

    it('none is consent_required where the person has not been asked, and a code where nothing is to be asked', async () => {
      const visitor = await signedIn()
      expect(
        answered((await visitor.get((await guest.request({ prompt: 'none' })).url)).location),
      ).toMatchObject({ error: 'consent_required' })
      const request = await blog.request({ prompt: 'none' })
      const page = await visitor.get(request.url)
      expect((await blog.redeem(request, page.location)).claims()?.sub).toBe(adaId)
    })

    it('none together with another is refused', async () => {
      const page = await (await signedIn()).get((await shop.request({ prompt: 'none login' })).url)
      expect(answered(page.location)).toMatchObject({ error: 'invalid_request' })
    })

    it('login asks for the password of the very person again and gives a new auth_time', async () => {
      const visitor = newVisitor()
      const first = await shop.signIn(visitor, ada)
      later(100)
      const request = await shop.request({ prompt: 'login' })
      const page = await visitor.follow(await visitor.get(request.url))
      expect(page.text).toContain('Confirm it’s you')
      expect(page.text).toContain(ada.email)
      expect(page.text).not.toContain('name="identifier"')
      const wrong = await visitor.submit(
        page,
        { password: bob.password, identifier: bob.email },
        { action: '/password' },
      )
      expect(wrong.status).toBeGreaterThanOrEqual(400)
      const answer = await visitor.follow(
        await visitor.submit(wrong, { password: ada.password }, { action: '/password' }),
      )
      const second = await shop.redeem(request, answer.location)
      expect(second.claims()?.sub).toBe(adaId)
      expect(Number(second.claims()?.auth_time) - Number(first.claims()?.auth_time)).toBe(100)
    })

    it('login is not satisfied by reloading, going back or a second request', async () => {
      const visitor = await signedIn()
      const request = await shop.request({ prompt: 'login' })
      expect(isSignIn(await visitor.follow(await visitor.get(request.url)))).toBe(true)
      expect(isSignIn(await visitor.follow(await visitor.get(request.url)))).toBe(true)
    })

    it('consent asks even at a first-party application, for everything it gets', async () => {
      const visitor = await signedIn()
      for (const _again of [1, 2]) {
        const request = await shop.request({ prompt: 'consent' })
        const page = await visitor.follow(await visitor.get(request.url))
        expect(isConsent(page)).toBe(true)
        expect(page.text).toContain('Allow Shop to use your account?')
        expect(page.text).toContain('See your e-mail address')
        const answer = await visitor.follow(await visitor.submit(page, {}, { action: '/consent' }))
        expect((await shop.redeem(request, answer.location)).claims()?.sub).toBe(adaId)
      }
    })
  })

  describe('max_age', () => {
    it('asks again once the sign-in is older, and not before', async () => {
      const visitor = await signedIn()
      later(120)
      expect(answered((await ask(visitor, shop, { max_age: '600' })).location).code).toBeDefined()
      const request = await shop.request({ max_age: '60' })
      const page = await visitor.follow(await visitor.get(request.url))
      expect(isSignIn(page)).toBe(true)
      const answer = await visitor.follow(
        await visitor.submit(page, { password: ada.password }, { action: '/password' }),
      )
      expect((await shop.redeem(request, answer.location)).claims()?.auth_time).toBe(
        Math.floor(Date.now() / 1000),
      )
    })

    it('0 always asks, and with prompt=none it is login_required', async () => {
      const visitor = await signedIn()
      expect(isSignIn(await ask(visitor, shop, { max_age: '0' }))).toBe(true)
      later(120)
      expect(answered((await ask(visitor, shop, { max_age: '60', prompt: 'none' })).location)).toMatchObject({
        error: 'login_required',
      })
    })

    it.each(['-1', 'soon', '1.5'])('%s is refused', async (age) => {
      expect(answered((await ask(await signedIn(), shop, { max_age: age })).location)).toMatchObject({
        error: 'invalid_request',
      })
    })
  })

  describe('login_hint', () => {
    it('fills the form, escaped, and decides nothing', async () => {
      const page = await ask(newVisitor(), shop, { login_hint: bob.email })
      expect(page.text).toMatch(new RegExp(`name="identifier"[^>]*value="${bob.email}"`))
      const hostile = await ask(newVisitor(), shop, { login_hint: '"><script>alert(1)</script>' })
      expect(hostile.text).not.toContain('<script>alert')
      const request = await shop.request({ login_hint: bob.email })
      expect(
        (await shop.redeem(request, await walkThrough(newVisitor(), request.url, ada))).claims()?.sub,
      ).toBe(adaId)
    })
  })

  describe('ui_locales', () => {
    const languageOf = ({ text }: Page): string | undefined => /<html lang="([^"]+)"/.exec(text)?.[1]

    it('chooses the language of the sign-in and of the consent after it', async () => {
      const visitor = newVisitor()
      const page = await ask(visitor, guest, { ui_locales: 'de-AT de en' })
      expect(languageOf(page)).toBe('de')
      expect(page.text).toContain('Bei Guest anmelden')
      const consent = await visitor.follow(
        await visitor.submit(
          page,
          { identifier: ada.email, password: ada.password },
          { action: '/password' },
        ),
      )
      expect([isConsent(consent), languageOf(consent)]).toEqual([true, 'de'])
    })

    it('goes before the language of the browser, which counts where there is none that we speak', async () => {
      const swedish = await shop.request({ ui_locales: 'sv' })
      const german = await shop.request({ ui_locales: 'de' })
      const open = async (url: string, language: string) => {
        const visitor = newVisitor()
        return languageOf(
          await visitor.get((await visitor.get(url)).location ?? '', { 'accept-language': language }),
        )
      }
      expect(await open(german.url, 'en')).toBe('de')
      expect(await open(swedish.url, 'de,en;q=0.5')).toBe('de')
      expect(await open(swedish.url, 'sv')).toBe('en')
    })
  })

  describe('id_token_hint', () => {
    it('of the person who is signed in changes nothing; of another one asks for a sign-in', async () => {
      const hint = async (person: typeof ada): Promise<string> =>
        (await shop.signIn(newVisitor(), person)).id_token ?? ''
      const visitor = await signedIn()
      expect(
        answered((await ask(visitor, shop, { id_token_hint: await hint(ada), prompt: 'none' })).location)
          .code,
      ).toBeDefined()
      expect(
        answered((await ask(visitor, shop, { id_token_hint: await hint(bob), prompt: 'none' })).location),
      ).toMatchObject({ error: 'login_required' })
    })
  })
})
