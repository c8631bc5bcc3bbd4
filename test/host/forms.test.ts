import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, auditOf, type FrontDoor, interactionPath, openFrontDoor } from '../support/front-door.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

interface Prepared {
  readonly visitor: Visitor
  readonly page: Page
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

describe('forms', () => {
  let door: FrontDoor
  beforeAll(async () => {
    door = await openFrontDoor({ client: { firstParty: false } })
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const at = (page: Page, ending: string) =>
    formsOf(page).find(({ action }) => action.endsWith(ending)) ?? { action: '', fields: {} }
  const prepared = (
    visitor: Visitor,
    page: Page,
    ending: string,
    fields: Readonly<Record<string, string>> = {},
  ): Prepared => {
    const form = at(page, ending)
    return { visitor, page, action: form.action, fields: { ...form.fields, ...fields } }
  }

  async function linkOf(purpose: 'setup' | 'password'): Promise<string> {
    const { setup, passwords } = door.latchkey.app.features
    if (purpose === 'setup') return (await setup.setup.issueLink()).url
    return (await passwords.passwords.issueLink(door.adaId, 'reset', { actor: { kind: 'system' } })).url
  }

  /** Every form of ours that changes something, filled in so that it would. */
  const forms: Readonly<Record<string, () => Promise<Prepared>>> = {
    async 'sign in'() {
      const visitor = newVisitor()
      return prepared(visitor, await door.begin(visitor), '/password', {
        identifier: ada.email,
        password: ada.password,
      })
    },
    async 'sign in as somebody else'() {
      const visitor = newVisitor()
      const consent = await door.signIn(visitor, { prompt: 'consent' })
      return prepared(
        visitor,
        await visitor.get(`${door.latchkey.issuer}${interactionPath(consent)}/other`),
        '/other/password',
        { identifier: ada.email, password: ada.password },
      )
    },
    async 'cancel the sign-in'() {
      const visitor = newVisitor()
      return prepared(visitor, await door.begin(visitor), '/abort')
    },
    async consent() {
      const visitor = newVisitor()
      return prepared(visitor, await door.signIn(visitor, { prompt: 'consent' }), '/consent')
    },
    async 'switch the account'() {
      const visitor = newVisitor()
      return prepared(visitor, await door.signIn(visitor, { prompt: 'consent' }), '/switch')
    },
    async 'sign out'() {
      const visitor = await door.signedIn()
      return prepared(visitor, await visitor.get(`${door.latchkey.issuer}/account`), '/sign-out')
    },
    async 'set a password'() {
      const visitor = newVisitor()
      return prepared(visitor, await visitor.get(await linkOf('password')), '/set-password', {
        password: ada.password,
      })
    },
    async 'set up'() {
      const visitor = newVisitor()
      return prepared(visitor, await visitor.get(await linkOf('setup')), '/setup', {
        name: 'Eve',
        email: 'eve@example.test',
        username: '',
        password: 'seven purple umbrellas',
      })
    },
  }

  /** What forms could have changed. */
  const state = async () => {
    const { db } = door.latchkey.app.storage
    const links = await db.passwordLink.count({ where: { consumedAt: { not: null } } })
    const passwords = (await db.password.findMany()).map(({ hash }) => hash)
    return {
      users: await db.user.count(),
      passwords,
      consents: await db.consent.count(),
      links,
      sessions: await db.artefact.count({ where: { model: 'Session', userId: { not: null } } }),
    }
  }

  const without = (fields: Readonly<Record<string, string>>, name: string) =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))

  describe.each(Object.keys(forms))('to %s', (name) => {
    const prepare = (): Promise<Prepared> => forms[name]?.() ?? Promise.reject(new Error(name))

    it('change nothing without the token of this browser and the origin of this server', async () => {
      const { visitor, action, fields } = await prepare()
      expect(action).not.toBe('')
      const { issuer } = door.latchkey
      const stranger = newVisitor()
      const strange = formsOf(await door.begin(stranger))[0]?.fields._csrf ?? ''
      expect(strange).not.toBe('')
      const own = fields._csrf ?? ''
      const before = await state()
      const origin = new URL(issuer).origin
      const attacks: readonly (readonly [
        string,
        Readonly<Record<string, string>>,
        Readonly<Record<string, string>>,
      ])[] = [
        ['no token', without(fields, '_csrf'), { origin }],
        ['an empty token', { ...fields, _csrf: '' }, { origin }],
        [
          'a wrong token',
          { ...fields, _csrf: `${own.slice(0, -1)}${own.endsWith('A') ? 'B' : 'A'}` },
          { origin },
        ],
        ['a longer token', { ...fields, _csrf: `${own}A` }, { origin }],
        ['the token of another browser', { ...fields, _csrf: strange }, { origin }],
        ['another origin', fields, { origin: 'https://evil.test' }],
        ['another port', fields, { origin: 'http://localhost:1' }],
        ['another scheme', fields, { origin: origin.replace('http:', 'https:') }],
        ['no origin', fields, { origin: '' }],
        ['an opaque origin', fields, { origin: 'null' }],
        ['an opaque origin of another site', fields, { origin: 'null', 'sec-fetch-site': 'cross-site' }],
        ['an opaque origin of the same site', fields, { origin: 'null', 'sec-fetch-site': 'same-site' }],
      ]
      for (const [what, body, headers] of attacks) {
        const answer = await visitor.clone().post(action, body, headers)
        expect([what, answer.status]).toEqual([what, 403])
      }
      const cookieless = await newVisitor().post(action, fields)
      expect(cookieless.status).toBe(403)
      expect(await state()).toEqual(before)
    })

    it('are posted, never fetched', async () => {
      const { visitor, action, fields } = await prepare()
      const before = await state()
      const answer = await visitor.get(`${action}?${new URLSearchParams(fields)}`)
      expect(await state()).toEqual(before)
      expect(answer.location ?? '').not.toMatch(/callback|\/auth\//)
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const cookie = visitor.cookies.map((each) => `${each.name}=${each.value}`).join('; ')
        const { status } = await fetch(action, {
          method,
          redirect: 'manual',
          body: new URLSearchParams(fields),
          headers: { cookie, origin: door.latchkey.issuer },
        })
        expect([method, status]).toEqual([method, 404])
      }
      expect(await state()).toEqual(before)
    })

    it('are taken as the person sent them', async () => {
      const { visitor, action, fields } = await prepare()
      // What browsers send from a page that sends no referrer.
      const answer = await visitor.post(action, fields, { origin: 'null', 'sec-fetch-site': 'same-origin' })
      expect(answer.status === 303 || answer.status === 200).toBe(true)
    })
  })

  it('take no other content type and no field twice', async () => {
    const visitor = newVisitor()
    const form = await door.begin(visitor)
    const { action, fields } = at(form, '/password')
    const filled = { ...fields, identifier: ada.email, password: ada.password }
    for (const [type, body] of [
      ['application/json', JSON.stringify(filled)],
      ['text/plain', new URLSearchParams(filled).toString()],
      ['multipart/form-data; boundary=x', '--x--'],
      ['', new URLSearchParams(filled).toString()],
    ] as const) {
      const cookie = visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
      const answer = await fetch(action, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, origin: door.latchkey.issuer, 'content-type': type },
        body: Buffer.from(body),
      })
      expect([type, answer.status]).toEqual([type, 415])
    }
    const send = async (body: string) => {
      const cookie = visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
      const headers = {
        cookie,
        origin: door.latchkey.issuer,
        'content-type': 'application/x-www-form-urlencoded',
      }
      return (await fetch(action, { method: 'POST', redirect: 'manual', headers, body })).status
    }
    const text = new URLSearchParams(filled).toString()
    expect(await send(`${text}&password=another`)).toBe(400)
    expect(await send(`${text}&_csrf=x`)).toBe(400)
    // A name in brackets is a name like any other, and one that nobody knows.
    expect(
      await send(
        `${new URLSearchParams({ ...fields, identifier: ada.email })}&password[]=${encodeURIComponent(ada.password)}`,
      ),
    ).toBe(400)
    expect(
      await send(`${new URLSearchParams({ ...fields, password: ada.password })}&identifier[contains]=a`),
    ).toBe(400)
    expect(await send(`${text}&__proto__=x`)).toBe(400)
    expect(await send(`${text}&constructor[prototype][administrator]=true`)).toBe(400)
    expect(await send(`${text}&userId=${door.adaId}`)).toBe(400)
    expect(await send(`${'a=&'.repeat(20_000)}`)).toBe(400)
    expect(await send(`a${'[b]'.repeat(15_000)}=c`)).toBe(403)
    expect(
      (await auditOf(door.latchkey))
        .filter(({ action: each }) => each === 'login.signed_in')
        .every(({ requestId }) => requestId !== null),
    ).toBe(true)
    expect(await send(text)).toBe(303)
  })
})
