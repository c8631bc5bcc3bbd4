import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const saving = '/account/profile/names/save'

describe('the pages of an account', () => {
  let door: FrontDoor
  let issuer: string
  beforeAll(async () => {
    door = await openFrontDoor()
    issuer = door.latchkey.issuer
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const nameOf = async () => (await door.latchkey.app.features.users.users.get(door.adaId)).name

  it('show a signed-in person himself, and are not kept', async () => {
    const visitor = await door.signedIn()
    const page = await visitor.get(`${issuer}/account`)
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(page.text).toContain(ada.name)
    expect(page.text).not.toContain('Administrator')
  })

  it('lead to each other, those alone on which something stands', async () => {
    const visitor = await door.signedIn()
    const page = await visitor.get(`${issuer}/account`)
    const navigation = /<nav[\s\S]*?<\/nav>/.exec(page.text)?.[0] ?? ''
    const paths = [...navigation.matchAll(/href="([^"]*)"/g)].map(([, path]) => path)
    expect(paths).toContain('/account')
    for (const path of paths) {
      const there = await visitor.get(`${issuer}${path}`)
      expect([path, there.status]).toEqual([path, 200])
      expect(there.text).toContain(`href="${path}" aria-current="page"`)
    }
    const panels = door.latchkey.app.all.flatMap((feature) => feature.panels ?? [])
    expect(paths.length).toBe(new Set(panels.map((panel) => panel.page)).size)
    expect((await visitor.get(`${issuer}/account/profile`)).location).toBe(`${issuer}/account`)
    expect((await visitor.get(`${issuer}/account/profile/names`)).location).toBe(`${issuer}/account`)
    expect((await visitor.get(`${issuer}${saving}`)).location).toBe(`${issuer}/account`)
  })

  it.each([
    '/account/nothing',
    '/account/constructor',
    '/account/profile/names/constructor',
    '/account/profile/nothing/save',
    '/account/profile/names/save/more',
    '/account/%2e%2e/profile/names',
  ])('know nothing of %s', async (path) => {
    const visitor = await door.signedIn()
    expect((await visitor.get(`${issuer}${path}`)).status).toBe(404)
    const { _csrf = '' } = await tokenOf(visitor)
    expect((await visitor.post(`${issuer}${path}`, { _csrf })).status).toBe(404)
  })

  it('are not shown to who is not signed in, who is led back to where he wanted to go', async () => {
    const stranger = newVisitor()
    const asked = await stranger.get(`${issuer}/account/security?from=mail`)
    expect([asked.status, asked.headers.get('cache-control')]).toEqual([303, 'no-store'])
    const form = await stranger.follow(asked)
    const back = await stranger.follow(await signIn(stranger, form))
    expect(back.url).toBe(`${issuer}/account/security?from=mail`)
    expect(back.status).toBe(200)
  })

  it('do nothing for who is not signed in', async () => {
    const stranger = newVisitor()
    await stranger.get(`${issuer}/account`)
    const answer = await stranger.post(`${issuer}${saving}`, { name: 'Mallory' })
    expect([answer.status, new URL(answer.location ?? '').pathname]).toEqual([303, '/auth'])
    expect(await nameOf()).toBe(ada.name)
  })

  it('change what was posted, and say so once, however often the page is loaded', async () => {
    const visitor = await door.signedIn()
    const saved = await visitor.submit(await visitor.get(`${issuer}/account`), names('Ada King'), {
      action: saving,
    })
    expect([saved.status, saved.location]).toEqual([303, `${issuer}/account`])
    expect((await visitor.get(`${issuer}/account`)).text).toContain('Your changes have been saved.')
    expect((await visitor.get(`${issuer}/account`)).text).not.toContain('Your changes have been saved.')
    expect(await nameOf()).toBe('Ada King')
    await visitor.submit(await visitor.get(`${issuer}/account`), names(ada.name), { action: saving })
  })

  it('show a refused form again, with what was typed and why it was refused', async () => {
    const visitor = await door.signedIn()
    const form = await visitor.get(`${issuer}/account`)
    const refused = await visitor.submit(form, names('A'.repeat(201)), { action: saving })
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('at most 200 characters')
    expect(refused.text).toContain('A'.repeat(201))
    expect(refused.text).toContain('<title>Error: ')
    expect(await nameOf()).toBe(ada.name)
  })

  it('take no form from elsewhere, without a token or from another browser', async () => {
    const visitor = await door.signedIn()
    const { _csrf = '' } = await tokenOf(visitor)
    const { _csrf: foreign = '' } = await tokenOf(await door.signedIn())
    const attacks: readonly (readonly [
      Readonly<Record<string, string>>,
      Readonly<Record<string, string>>,
    ])[] = [
      [{}, {}],
      [{ _csrf: foreign }, {}],
      [{ _csrf }, { origin: 'https://evil.example' }],
      [{ _csrf }, { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ]
    for (const [fields, headers] of attacks) {
      const answer = await visitor.post(`${issuer}${saving}`, { ...names('Mallory'), ...fields }, headers)
      expect(answer.status).toBe(403)
    }
    expect((await visitor.post(`${issuer}${saving}`, { ...names(ada.name), _csrf })).status).toBe(303)
    expect(await nameOf()).toBe(ada.name)
  })

  it('say nothing that somebody else has put into the browser', async () => {
    const visitor = await door.signedIn()
    await visitor.submit(await visitor.get(`${issuer}/account`), names(ada.name), { action: saving })
    const [payload = '', mac = ''] = noticeOf(visitor).split('.')
    const left = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const forged = (own: object) => Buffer.from(JSON.stringify({ ...left, ...own })).toString('base64url')
    const words = { key: 'account.do-it-again' }
    for (const value of [
      `${forged(words)}.${mac}`,
      `${forged(words)}.`,
      forged(words),
      '.',
      '%00.%00',
      `${forged({ key: 'no.such.message' })}.${mac}`,
      `${payload}.${mac.slice(0, -1)}`,
    ]) {
      const session = visitor.cookies.filter(({ name }) => name !== 'latchkey_notice')
      const page = await newVisitor([...session, { name: 'latchkey_notice', value, path: '/' }]).get(
        `${issuer}/account`,
      )
      expect(page.status).toBe(200)
      expect(page.text).not.toContain('class="notice"')
    }
  })

  it('tell nobody else what was told to somebody', async () => {
    const visitor = await door.signedIn()
    await visitor.submit(await visitor.get(`${issuer}/account`), names(ada.name), { action: saving })
    const email = 'second@example.test'
    await door.latchkey.createUser({ email, password: ada.password })
    const other = newVisitor([{ name: 'latchkey_notice', value: noticeOf(visitor), path: '/' }])
    const form = await other.follow(await other.get(`${issuer}/account`))
    const page = await other.follow(await signIn(other, form, email))
    expect(page.url).toBe(`${issuer}/account`)
    expect(page.text).not.toContain('Your changes have been saved.')
  })

  it.each(['?id=1&id=2', '?iss=a&iss=b', '?%00'])('refuse a malformed query, such as %s', async (query) => {
    const visitor = await door.signedIn()
    expect((await visitor.get(`${issuer}/account${query}`)).status).toBe(400)
  })

  it('speak the language that the person has chosen, whatever the browser asks for', async () => {
    const visitor = await door.signedIn()
    const page = await visitor.get(`${issuer}/account`)
    await visitor.submit(page, { locale: 'de', zoneinfo: '' }, { action: '/language/save' })
    const german = await visitor.get(`${issuer}/account`, { 'accept-language': 'fr' })
    expect(german.headers.get('content-language')).toBe('de')
    await visitor.submit(page, { locale: '', zoneinfo: '' }, { action: '/language/save' })
    const french = await visitor.get(`${issuer}/account`, { 'accept-language': 'fr' })
    expect(french.headers.get('content-language')).toBe('fr')
  })

  async function tokenOf(visitor: Visitor): Promise<{ readonly _csrf?: string }> {
    const page = await visitor.get(`${issuer}/account`)
    return { _csrf: /name="_csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '' }
  }
})

const names = (name: string) => ({ name, given_name: '', family_name: '' })

const noticeOf = (visitor: Visitor): string =>
  visitor.cookies.find(({ name }) => name === 'latchkey_notice')?.value ?? ''

const signIn = (visitor: Visitor, form: Page, identifier = ada.email): Promise<Page> =>
  visitor.submit(form, { identifier, password: ada.password }, { action: '/password' })
