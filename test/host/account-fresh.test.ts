import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { movableClock } from '../support/clock.ts'
import { ada, type FrontDoor, grace, openFrontDoor } from '../support/front-door.ts'
import type { Page, Visitor } from '../support/visitor.ts'

const adding = '/account/security/totp/add'

describe('a change of credentials', () => {
  let door: FrontDoor
  let issuer: string
  const clock = movableClock()
  beforeAll(async () => {
    door = await openFrontDoor({ clock, environment: { LATCHKEY_ACCOUNT_REAUTHENTICATION_SECONDS: '300' } })
    issuer = door.latchkey.issuer
    await door.latchkey.createUser(grace)
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const confirm = (visitor: Visitor, form: Page, password = ada.password): Promise<Page> =>
    visitor.submit(form, { password }, { action: '/password' })

  async function signedInAgo(seconds: number): Promise<Visitor> {
    const visitor = await door.signedIn()
    clock.advance(seconds)
    return visitor
  }

  it('opens to who has just signed in', async () => {
    const visitor = await door.signedIn()
    expect((await visitor.get(`${issuer}${adding}`)).status).toBe(200)
  })

  it('asks who signed in earlier for a proof, and leads back to the very page', async () => {
    const visitor = await signedInAgo(301)
    expect((await visitor.get(`${issuer}/account/security`)).status).toBe(200)
    const asked = await visitor.get(`${issuer}${adding}?then=this+%26+that`)
    expect(new URL(asked.location ?? '').pathname).toBe('/auth')
    const form = await visitor.follow(asked)
    expect(form.text).toContain(ada.email)
    const back = await visitor.follow(await confirm(visitor, form))
    expect([back.url, back.status]).toEqual([`${issuer}${adding}?then=this+%26+that`, 200])
  })

  it('is not opened by the sessions of other browsers, nor by a proof that failed', async () => {
    const visitor = await signedInAgo(301)
    await door.signedIn()
    const form = await visitor.follow(await visitor.get(`${issuer}${adding}`))
    expect((await confirm(visitor, form, 'not her password')).status).toBe(401)
    expect(new URL((await visitor.get(`${issuer}${adding}`)).location ?? '').pathname).toBe('/auth')
  })

  it('is not made by a form that was open for too long, and says so when the proof is there', async () => {
    const visitor = await door.signedIn()
    const page = await visitor.get(`${issuer}${adding}`)
    clock.advance(301)
    const sent = await visitor.submit(page, { code: '123456', name: 'Phone' }, { action: adding })
    expect([sent.status, new URL(sent.location ?? '').pathname]).toEqual([303, '/auth'])
    expect(sent.location).not.toContain('123456')
    const form = await visitor.follow(sent)
    const back = await visitor.follow(await confirm(visitor, form))
    expect(back.url).toBe(`${issuer}${adding}`)
    expect(back.text).toContain('Nothing has changed yet')
    const changed = await visitor.get(`${issuer}${adding}`)
    expect(changed.text).not.toContain('Nothing has changed yet')
  })

  it('leads who cancels back to the page above, not into the same question', async () => {
    const visitor = await signedInAgo(301)
    const query = new URLSearchParams({ error: 'access_denied', error_description: 'phish', iss: issuer })
    expect((await visitor.get(`${issuer}${adding}?${query}`)).location).toBe(`${issuer}/account/security`)
  })

  it('is not what somebody else finds who signs in instead', async () => {
    const visitor = await signedInAgo(301)
    const asked = await visitor.get(`${issuer}${adding}`)
    const form = await visitor.follow(asked)
    const other = await visitor.follow(await visitor.submit(form, {}, { action: '/switch' }))
    const answer = await visitor.submit(
      other,
      { identifier: grace.email, password: grace.password },
      { action: '/password' },
    )
    const leaving = await visitor.follow(answer)
    const left = leaving.text.includes('name="xsrf"')
      ? await visitor.follow(await visitor.submit(leaving, { logout: 'yes' }))
      : leaving
    expect(left.url).toBe(`${issuer}/account`)
    expect(left.text).toContain(grace.name)
    expect(left.text).not.toContain('Nothing has changed yet')
  })

  it('stays where it was when the mark of the asker is made up', async () => {
    const visitor = await door.signedIn()
    for (const mark of ['', 'x', 'A'.repeat(22)])
      expect((await visitor.get(`${issuer}${adding}?for=${mark}`)).location).toBe(`${issuer}/account`)
  })
})

describe('the sign-in to our own pages', () => {
  let door: FrontDoor
  let issuer: string
  beforeAll(async () => {
    door = await openFrontDoor()
    issuer = door.latchkey.issuer
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const authorization = (redirectUri: string, client = 'latchkey') =>
    `${issuer}/auth?${new URLSearchParams({
      client_id: client,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: redirectUri,
    })}`

  it.each(['/', '/account', '/account?a=b', '/account/security/totp/add?id=a%20b'])(
    'leads back to %s',
    async (path) => {
      const visitor = await door.signedIn()
      const answer = await visitor.get(authorization(`${issuer}${path}`))
      expect(answer.status).toBe(303)
      const to = new URL(answer.location ?? '')
      expect([to.origin, to.pathname, to.searchParams.get('error')]).toEqual([
        issuer,
        path.split('?')[0],
        null,
      ])
    },
  )

  const elsewhere: readonly ((origin: string) => string)[] = [
    () => 'https://evil.example/account',
    (origin) => `${origin}.evil.example/account`,
    (origin) => `${origin}@evil.example/account`,
    (origin) => `${origin.replace('http://', 'http://user@')}/account`,
    (origin) => `${origin.replace('http://', 'http://user:pass@')}/account`,
    (origin) => `${origin.replace('http:', 'https:')}/account`,
    (origin) => `${origin.replace('localhost', '127.0.0.1')}/account`,
    (origin) => `${origin.replace('localhost', 'LOCALHOST')}/account`,
    (origin) => `${origin.replace(/:\d+$/, ':1')}/account`,
    () => '//evil.example/account',
    () => '/account',
    (origin) => `${origin}//evil.example/account`,
    (origin) => `${origin}/account//evil.example`,
    (origin) => `${origin}/\\evil.example/account`,
    (origin) => `${origin}\\account`,
    (origin) => `${origin}/account\\..\\sign-out`,
    (origin) => `${origin}/account/../sign-out`,
    (origin) => `${origin}/account/%2e%2e/sign-out`,
    (origin) => `${origin}/account/.%2e/sign-out`,
    (origin) => `${origin}/account%2f..%2fsign-out`,
    (origin) => `${origin}/account;/sign-out`,
    (origin) => `${origin}/accounts`,
    (origin) => `${origin}/sign-out`,
    (origin) => `${origin}/auth?client_id=x`,
    (origin) => `${origin}/Account`,
    (origin) => `${origin}/account#fragment`,
    (origin) => `${origin}/account?a=b#fragment`,
    (origin) => `${origin}/account?next=https://evil.example`,
    (origin) => `${origin}/account?a=<script>`,
    (origin) => `${origin}/account `,
    (origin) => ` ${origin}/account`,
    (origin) => `${origin}/account\t`,
    (origin) => `${origin}/account\n`,
    (origin) => `${origin}?/account`,
    (origin) => `${origin}/?a=b`,
    () => 'javascript:alert(1)//account',
    () => '',
  ]

  it.each(elsewhere.map((make) => [make('http://host:1'), make] as const))(
    'never leads to %j',
    async (_shown, make) => {
      for (const visitor of [await door.signedIn()]) {
        const answer = await visitor.get(authorization(make(issuer)))
        expect(answer.status).toBe(400)
        expect(answer.location).toBeUndefined()
      }
    },
  )

  it('does not open these pages to other clients', async () => {
    const visitor = await door.signedIn()
    const answer = await visitor.get(
      door.authorizationUrl({ redirect_uri: `${issuer}/account`, client_id: door.client.id }),
    )
    expect([answer.status, answer.location]).toEqual([400, undefined])
  })
})
