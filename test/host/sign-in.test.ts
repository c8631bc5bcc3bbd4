import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, auditOf, disableUser, type FrontDoor, grace, interactionPath, openFrontDoor } from '../support/front-door.ts'
import { fixedClock } from '../support/clock.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const isCallback = /^http:\/\/localhost:9999\/callback\?/
const parameter = (page: Page, name: string): string | null => new URL(page.location ?? '').searchParams.get(name)

/** What is new on every page. */
const modulo = ({ text }: Page): string =>
  text.replace(/nonce="[^"]*"/g, 'nonce').replace(/name="_csrf" value="[^"]*"/g, 'csrf').replace(/\/interaction\/[\w-]+/g, '/interaction')

const attempt = (visitor: Visitor, form: Page, identifier: string, password: string): Promise<Page> =>
  visitor.submit(form, { identifier, password }, { action: '/password' })

describe('sign-in', () => {
  let door: FrontDoor
  beforeAll(async () => {
    door = await openFrontDoor({ environment: { LATCHKEY_THROTTLE_ADDRESS_FAILURES: '10000' } })
    await door.latchkey.createUser(grace)
  })
  afterAll(() => door[Symbol.asyncDispose]())

  describe('refuses', () => {
    async function disabledUser(): Promise<string> {
      const email = `disabled-${Math.random()}@example.test`
      const id = await door.latchkey.createUser({ email, password: ada.password })
      await disableUser(door.latchkey, id)
      return email
    }

    it('an unknown user, a wrong password, a disabled user and a user without a password in the same words', async () => {
      const { users } = door.latchkey.app.features
      await users.users.create({ email: 'invited@example.test' }, { actor: { kind: 'system' } })
      const answers: Page[] = []
      for (const [identifier, password] of [
        ['nobody@example.test', ada.password],
        [ada.email, 'not her password'],
        [await disabledUser(), ada.password],
        ['invited@example.test', ada.password],
        ['no user name', 'x'],
      ] as const) {
        const visitor = newVisitor()
        const answer = await attempt(visitor, await door.begin(visitor), identifier, password)
        expect(answer.text).toContain(identifier)
        answers.push({ ...answer, text: answer.text.replaceAll(identifier, 'IDENTIFIER') })
      }
      const [first] = answers
      expect(first?.status).toBe(401)
      expect(first?.text).toContain('role="alert"')
      for (const answer of answers) {
        expect(answer.status).toBe(401)
        expect(modulo(answer)).toBe(modulo(first as Page))
        expect([...answer.headers.keys()].filter((name) => name !== 'content-length')).toEqual([...(first as Page).headers.keys()].filter((name) => name !== 'content-length'))
      }
    })

    it('an unknown user as slowly as a known one', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
      const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] }
      for (let round = 0; round < 9; round += 1) {
        const email = `timing-${round}@example.test`
        await door.latchkey.createUser({ email, password: ada.password })
        for (const [kind, identifier] of [['known', email], ['unknown', `nobody-${round}@example.test`]] as const) {
          const started = performance.now()
          expect((await attempt(visitor, form, identifier, 'a wrong password')).status).toBe(401)
          times[kind].push(performance.now() - started)
        }
      }
      const ratio = median(times.unknown) / median(times.known)
      expect(ratio).toBeGreaterThan(0.5)
      expect(ratio).toBeLessThan(2)
    })

    it('and shows the form again with the identifier, escaped, and never the password', async () => {
      const visitor = newVisitor()
      const hostile = `"><script>alert(1)</script>'&`
      const answer = await attempt(visitor, await door.begin(visitor), hostile, 'p4ss-w0rd-that-is-wrong')
      expect(answer.status).toBe(401)
      expect(answer.text).not.toContain('<script>alert')
      expect(answer.text).toContain('value="&quot;&gt;&lt;script&gt;')
      expect(answer.text).not.toContain('p4ss-w0rd-that-is-wrong')
      expect((await attempt(visitor, answer, ada.email, ada.password)).status).toBe(303)
    })

    it('an empty form, without counting it', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      for (let time = 0; time < 8; time += 1) expect((await attempt(visitor, form, '', '')).status).toBe(400)
      expect((await attempt(visitor, form, ada.email, ada.password)).status).toBe(303)
    })

    it('a way to sign in that there is not', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      for (const factor of ['totp', 'passwords', '__proto__', 'constructor', 'PASSWORD']) {
        const fields = { identifier: ada.email, password: ada.password, _csrf: /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '' }
        expect([factor, (await visitor.post(`${form.url}/${factor}`, fields)).status]).toEqual([factor, 404])
      }
    })
  })

  it('carries a hostile login_hint escaped and a language hint, and nothing else, into the form', async () => {
    const form = await door.begin(newVisitor(), { login_hint: `"><img src=x onerror=alert(1)>`, ui_locales: 'de' })
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
        const answer = await stranger.post(`${form.url}/${step}`, { _csrf: token, identifier: grace.email, password: grace.password })
        expect([step, answer.status, answer.location]).toEqual([step, 403, undefined])
      }
      expect((await stranger.get(`${door.latchkey.issuer}${interactionPath(form).replace('/interaction', '/auth')}`)).status).toBe(400)
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
      const moved = newVisitor(stranger.cookies.map((cookie) => (cookie.name.startsWith('latchkey_interaction') ? { ...cookie, path: interactionPath(form) } : cookie)))
      expect((await moved.get(form.url)).status).toBe(403)
      const token = /name="_csrf" value="([^"]+)"/.exec(own.text)?.[1] ?? ''
      expect((await moved.post(`${form.url}/password`, { _csrf: token, identifier: grace.email, password: grace.password })).status).toBe(403)
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
      const answer = await visitor.post(`${strict.latchkey.issuer}${interactionPath(consent)}/password`, { _csrf: token, identifier: grace.email, password: grace.password })
      expect(answer.status).toBe(400)
      expect((await visitor.get(consent.url)).text).toContain('Ada Lovelace')
      const allowed = await visitor.follow(await visitor.submit(consent, {}, { action: '/consent' }))
      expect(parameter(allowed, 'code')).not.toBeNull()
    })

    it('so that resuming it without an answer asks again', async () => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const resumed = await visitor.follow(await visitor.get(`${door.latchkey.issuer}${interactionPath(form).replace('/interaction', '/auth')}`))
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
      expect((await visitor.submit(form, { password: grace.password }, { action: '/password' })).status).toBe(401)
      const answer = await visitor.follow(await visitor.submit(form, { password: ada.password }, { action: '/password' }))
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
      expect((await auditOf(door.latchkey)).at(-1)).toMatchObject({ action: 'login.cancelled', outcome: 'failure', clientId: door.client.id })
      expect((await visitor.get(form.url)).status).toBe(410)
    })

    it('by time says so and leads back to the application', async () => {
      const clock = fixedClock(new Date())
      await using late = await openFrontDoor({ clock, client: { clientUri: 'https://shop.example.test/' } })
      const visitor = newVisitor()
      const form = await late.begin(visitor)
      clock.advance(1_801)
      for (const answer of [await visitor.get(form.url), await attempt(visitor, form, ada.email, ada.password)]) {
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

    it.each(['one after the other', 'at once'])('by two clicks, %s, leads to the application', async (how) => {
      const visitor = newVisitor()
      const form = await door.begin(visitor)
      const second = visitor.clone()
      const click = () => attempt(visitor, form, ada.email, ada.password)
      const answers = how === 'at once' ? await Promise.all([click(), click()]) : [await click(), await click()]
      expect(answers.map(({ status }) => status)).toEqual([303, 303])
      const last = await visitor.follow(answers[1] as Page)
      expect(last.location).toMatch(isCallback)
      expect(parameter(last, 'code')).not.toBeNull()
      // In a browser that is not signed in the same answer starts nothing by itself.
      expect((await attempt(second, form, ada.email, ada.password)).location ?? '').not.toMatch(/[?&]code=/)
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

describe('the throttle of sign-ins', () => {
  it('asks a stranger to wait, in words and in Retry-After, and lets a known browser in', async () => {
    const clock = fixedClock(new Date())
    await using door = await openFrontDoor({ clock, environment: { LATCHKEY_THROTTLE_ACCOUNT_FAILURES: '3' } })
    const known = newVisitor()
    await door.signIn(known)
    const stranger = newVisitor()
    const form = await door.begin(stranger)
    for (let time = 0; time < 3; time += 1) expect((await attempt(stranger, form, ada.email, `wrong ${time}`)).status).toBe(401)
    const refused = await attempt(stranger, form, ada.email, ada.password)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30)
    expect(refused.text).toContain('Too many attempts')
    expect(refused.text).toContain('name="password"')
    expect((await attempt(stranger, form, ada.email.toUpperCase(), ada.password)).status).toBe(429)

    const unknown = newVisitor()
    const other = await door.begin(unknown)
    for (let time = 0; time < 3; time += 1) await attempt(unknown, other, 'nobody@example.test', 'wrong')
    expect((await attempt(unknown, other, 'nobody@example.test', 'wrong')).status).toBe(429)

    const owner = await known.submit(await door.begin(known, { prompt: 'login' }), { password: ada.password }, { action: '/password' })
    expect(owner.status).toBe(303)

    clock.advance(Number(refused.headers.get('retry-after')))
    expect((await attempt(stranger, form, ada.email, ada.password)).status).toBe(303)
    const actions = (await auditOf(door.latchkey)).filter(({ action }) => action === 'login.refused').map(({ detail }) => (JSON.parse(detail) as { reason: string }).reason)
    expect(new Set(actions)).toEqual(new Set(['passwords.invalid_credentials', 'throttle.too_many_attempts']))
  })
})
