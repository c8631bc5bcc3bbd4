import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../support/clock.ts'
import { ada, auditOf, disableUser, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

/** What is new on every page. */
const modulo = ({ text }: Page): string =>
  text
    .replace(/nonce="[^"]*"/g, 'nonce')
    .replace(/name="_csrf" value="[^"]*"/g, 'csrf')
    .replace(/&quot;challenge&quot;:&quot;[\w-]{43}&quot;/g, 'challenge')
    .replace(/\/interaction\/[\w-]+/g, '/interaction')

const attempt = (visitor: Visitor, form: Page, identifier: string, password: string): Promise<Page> =>
  visitor.submit(form, { identifier, password }, { action: '/password' })

describe('sign-in refuses', () => {
  let door: FrontDoor
  beforeAll(async () => {
    door = await openFrontDoor({ environment: { LATCHKEY_THROTTLE_ADDRESS_FAILURES: '10000' } })
  })
  afterAll(() => door[Symbol.asyncDispose]())

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
      expect([...answer.headers.keys()].filter((name) => name !== 'content-length')).toEqual(
        [...(first as Page).headers.keys()].filter((name) => name !== 'content-length'),
      )
    }
  })

  it('an unknown user as slowly as a known one', async () => {
    const visitor = newVisitor()
    const form = await door.begin(visitor)
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] }
    for (let round = 0; round < 9; round += 1) {
      const email = `timing-${round}@example.test`
      await door.latchkey.createUser({ email, password: ada.password })
      for (const [kind, identifier] of [
        ['known', email],
        ['unknown', `nobody-${round}@example.test`],
      ] as const) {
        const started = performance.now()
        expect((await attempt(visitor, form, identifier, 'a wrong password')).status).toBe(401)
        times[kind].push(performance.now() - started)
      }
    }
    // The quickest of each: whatever else the machine does only ever adds time.
    const ratio = Math.min(...times.unknown) / Math.min(...times.known)
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
    for (const factor of ['smoke-signals', 'passwords', '__proto__', 'constructor', 'PASSWORD']) {
      const fields = {
        identifier: ada.email,
        password: ada.password,
        _csrf: /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? '',
      }
      expect([factor, (await visitor.post(`${form.url}/${factor}`, fields)).status]).toEqual([factor, 404])
    }
  })
})

describe('the throttle of sign-ins', () => {
  it('asks a stranger to wait, in words and in Retry-After, and lets a known browser in', async () => {
    const clock = fixedClock(new Date())
    await using door = await openFrontDoor({
      clock,
      environment: { LATCHKEY_THROTTLE_ACCOUNT_FAILURES: '3' },
    })
    const known = newVisitor()
    await door.signIn(known)
    const stranger = newVisitor()
    const form = await door.begin(stranger)
    for (let time = 0; time < 3; time += 1)
      expect((await attempt(stranger, form, ada.email, `wrong ${time}`)).status).toBe(401)
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

    const owner = await known.submit(
      await door.begin(known, { prompt: 'login' }),
      { password: ada.password },
      { action: '/password' },
    )
    expect(owner.status).toBe(303)

    clock.advance(Number(refused.headers.get('retry-after')))
    expect((await attempt(stranger, form, ada.email, ada.password)).status).toBe(303)
    const actions = (await auditOf(door.latchkey))
      .filter(({ action }) => action === 'login.refused')
      .map(({ detail }) => (JSON.parse(detail) as { reason: string }).reason)
    // Turned away before anything was checked: a line in the log, and no row that a stranger could fill the disk with.
    expect(new Set(actions)).toEqual(new Set(['passwords.invalid_credentials']))
  })
})
