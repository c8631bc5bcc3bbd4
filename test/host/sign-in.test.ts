import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../support/clock.ts'
import { ada, auditOf, type FrontDoor, grace, interactionPath, openFrontDoor } from '../support/front-door.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const isCallback = /^http:\/\/localhost:9999\/callback\?/
const parameter = (page: Page, name: string): string | null =>
  new URL(page.location ?? '').searchParams.get(name)

const attempt = (visitor: Visitor, form: Page, identifier: string, password: string): Promise<Page> =>
  visitor.submit(form, { identifier, password }, { action: '/password' })

describe('sign-in', () => {
  let door: FrontDoor
  beforeAll(async () => {
    door = await openFrontDoor({ environment: { LATCHKEY_THROTTLE_ADDRESS_FAILURES: '10000' } })
    await door.latchkey.createUser(grace)
  })
  afterAll(() => door[Symbol.asyncDispose]())

  it('carries a hostile login_hint escaped and a language hint, and nothing else, into the form', async () => {
    const form = await door.begin(newVisitor(), {
      login_hint: `"><img src=x onerror=alert(1)>`,
      ui_locales: 'de',
    })
    expect(form.text).toContain('<html lang="de"')
    expect(form.text).toContain('Bei Shop anmelden')
    expect(form.text).not.toContain('<img src=x')
    expect(form.text).toContain('value="&quot;&gt;&lt;img')
  })

  describe('in another browser', () => {
    it('is refused there and goes on here', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const stranger = newVisitor()
      const shown = await stranger.get(form.url)
      expect(shown.status).toBe(403)
      expect(shown.text).toContain('another browser')
      expect(shown.text).not.toContain('name="password"')
      const own = await door.begin(stranger)
      const token = /name="_csrf" value="([^"]+)"/.exec(own.text)?.[1] ?? ''
      for (const step of ['password', 'consent', 'abort', 'switch', 'other/password']) {
        const answer = await stranger.post(`${form.url}/${step}`, {
          _csrf: token,
          identifier: grace.email,
          password: grace.password,
        })
        expect([step, answer.status, answer.location]).toEqual([step, 403, undefined])
      }
      expect(
        (
          await stranger.get(
            `${door.latchkey.issuer}${interactionPath(form).replace('/interaction', '/auth')}`,
          )
        ).status,
      ).toBe(400)
      const answer = await visitor.follow(await attempt(visitor, form, ada.email, ada.password))
      expect(answer.location).toMatch(isCallback)
      expect(parameter(answer, 'code')).not.toBeNull()
    })

    it('with stolen paths and an interaction of its own stays the own one', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const stranger = newVisitor()
      const own = await door.begin(stranger)
      // The stranger's signed cookie is for his interaction, sent to the path of the other.
      const moved = newVisitor(
        stranger.cookies.map((cookie) =>
          cookie.name.startsWith('latchkey_interaction')
            ? { ...cookie, path: interactionPath(form) }
            : cookie,
        ),
      )
      expect((await moved.get(form.url)).status).toBe(403)
      const token = /name="_csrf" value="([^"]+)"/.exec(own.text)?.[1] ?? ''
      expect(
        (
          await moved.post(`${form.url}/password`, {
            _csrf: token,
            identifier: grace.email,
            password: grace.password,
          })
        ).status,
      ).toBe(403)
      expect((await visitor.get(form.url)).status).toBe(200)
    })
  })

  describe('has one order of steps', () => {
    it('so that nobody consents before he signed in', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const token = /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? ''
      const answer = await visitor.post(`${form.url}/consent`, { _csrf: token })
      expect(answer.status).toBe(400)
      expect(answer.location).toBeUndefined()
      expect((await attempt(visitor, form, ada.email, ada.password)).status).toBe(303)
    })

    it('so that a password is not taken where consent is asked for', async () => {
      await using strict = await openFrontDoor({ client: { firstParty: false } })
      await strict.latchkey.createUser(grace)
      const visitor = newVisitor()
      const consent = await strict.signIn(visitor)
      expect(consent.text).toContain('Ada Lovelace')
      const token = /name="_csrf" value="([^"]+)"/.exec(consent.text)?.[1] ?? ''
      const answer = await visitor.post(`${strict.latchkey.issuer}${interactionPath(consent)}/password`, {
        _csrf: token,
        identifier: grace.email,
        password: grace.password,
      })
      expect(answer.status).toBe(400)
      expect((await visitor.get(consent.url)).text).toContain('Ada Lovelace')
      const allowed = await visitor.follow(await visitor.submit(consent, {}, { action: '/consent' }))
      expect(parameter(allowed, 'code')).not.toBeNull()
    })

    it('so that resuming it without an answer asks again', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const resumed = await visitor.follow(
        await visitor.get(`${door.latchkey.issuer}${interactionPath(form).replace('/interaction', '/auth')}`),
      )
      expect(resumed.location ?? '').not.toMatch(/[?&]code=/)
      expect(resumed.text).not.toContain('code=')
    })
  })

  describe('again', () => {
    it('takes only the person of the session, who cannot be changed in the form', async () => {
      const visitor = newVisitor()
      await door.signIn(visitor)
      const form = await door.begin(visitor, { prompt: 'login' })
      expect(form.text).toContain(ada.email)
      expect(form.text).not.toContain('name="identifier"')
      expect((await attempt(visitor, form, grace.email, grace.password)).status).toBe(401)
      expect((await visitor.submit(form, { password: grace.password }, { action: '/password' })).status).toBe(
        401,
      )
      const answer = await visitor.follow(
        await visitor.submit(form, { password: ada.password }, { action: '/password' }),
      )
      expect(parameter(answer, 'code')).not.toBeNull()
      const signedIn = (await auditOf(door.latchkey)).filter(({ action }) => action === 'login.signed_in')
      expect(signedIn.at(-1)?.userId).toBe(door.adaId)
    })

    it('is not asked within max_age and for prompt=none, and is an error where nobody is signed in', async () => {
      const visitor = newVisitor()
      await door.signIn(visitor)
      expect(parameter(await door.begin(visitor, { max_age: '100' }), 'code')).not.toBeNull()
      expect(parameter(await door.begin(visitor, { prompt: 'none' }), 'code')).not.toBeNull()
      expect(parameter(await door.begin(newVisitor(), { prompt: 'none' }), 'error')).toBe('login_required')
    })
  })

  describe('ended', () => {
    it('by its person tells the application and is audited', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const answer = await visitor.follow(await visitor.submit(form, {}, { action: '/abort' }))
      expect(answer.location).toMatch(isCallback)
      expect(parameter(answer, 'error')).toBe('access_denied')
      expect(parameter(answer, 'state')).toBe('a state')
      expect((await auditOf(door.latchkey)).at(-1)).toMatchObject({
        action: 'login.cancelled',
        outcome: 'failure',
        clientId: door.client.id,
      })
      expect((await visitor.get(form.url)).status).toBe(410)
    })

    it('by time says so and leads back to the application', async () => {
      const clock = fixedClock(new Date())
      await using late = await openFrontDoor({ clock, client: { clientUri: 'https://shop.example.test/' } })
      const visitor = newVisitor()
      const form = await late.begin(visitor)
      clock.advance(1_801)
      for (const answer of [
        await visitor.get(form.url),
        await attempt(visitor, form, ada.email, ada.password),
      ]) {
        expect(answer.status).toBe(410)
        expect(answer.text).toContain('Shop')
        expect(answer.text).toContain('href="https://shop.example.test/"')
      }
      expect((await visitor.get(`${late.latchkey.issuer}/interaction/never-was`)).status).toBe(410)
    })

    it('by success says that one is signed in, when one goes back', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      await visitor.follow(await attempt(visitor, form, ada.email, ada.password))
      const back = await visitor.get(form.url)
      expect(back.status).toBe(410)
      expect(back.text).toContain('already signed in')
    })

    it.each(['one after the other', 'at once'])(
      'by two clicks, %s, leads to the application',
      async (how) => {
        const visitor = newVisitor()
        const form = await door.begin(visitor)
        const second = visitor.clone()
        const click = () => attempt(visitor, form, ada.email, ada.password)
        const answers =
          how === 'at once' ? await Promise.all([click(), click()]) : [await click(), await click()]
        expect(answers.map(({ status }) => status)).toEqual([303, 303])
        const last = await visitor.follow(answers[1] as Page)
        expect(last.location).toMatch(isCallback)
        expect(parameter(last, 'code')).not.toBeNull()
        // In a browser that is not signed in the same answer starts nothing by itself.
        expect((await attempt(second, form, ada.email, ada.password)).location ?? '').not.toMatch(/[?&]code=/)
      },
    )

    it('by a second click after the first has led there, leads there again', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor, { state: 'twice' })
      const first = await visitor.follow(await attempt(visitor, form, ada.email, ada.password))
      const second = await attempt(visitor, form, ada.email, ada.password)
      expect(second.status).toBe(303)
      const again = await visitor.follow(second)
      expect([parameter(first, 'state'), parameter(again, 'state')]).toEqual(['twice', 'twice'])
      expect(parameter(again, 'code')).not.toBe(parameter(first, 'code'))
      expect(parameter(again, 'code')).not.toBeNull()
      // Elsewhere the path of an ended sign-in begins nothing.
      const stranger = newVisitor()
      const own = await door.begin(stranger)
      const answer = await stranger.post(`${form.url}/password`, {
        _csrf: /name="_csrf" value="([^"]+)"/.exec(own.text)?.[1] ?? '',
        identifier: ada.email,
        password: ada.password,
      })
      expect([answer.status, answer.location]).toEqual([410, undefined])
    })

    it('in one of two tabs goes on in the other', async () => {
      const visitor = newVisitor()
      const first = await door.begin(visitor, { state: 'first' })
      const second = await door.begin(visitor, { state: 'second' })
      expect(interactionPath(first)).not.toBe(interactionPath(second))
      const one = await visitor.follow(await attempt(visitor, first, ada.email, ada.password))
      const other = await visitor.follow(await attempt(visitor, second, ada.email, ada.password))
      expect([parameter(one, 'state'), parameter(other, 'state')]).toEqual(['first', 'second'])
      expect(parameter(other, 'code')).not.toBeNull()
    })
  })
})
