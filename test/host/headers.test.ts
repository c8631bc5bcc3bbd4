import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, type FrontDoor, openFrontDoor, redirectUri } from '../support/front-door.ts'
import { newVisitor, type Page } from '../support/visitor.ts'
import { exchange } from '../support/wire.ts'

const expectGuarded = ({ headers }: Pick<Page, 'headers'>, text: string): void => {
  expect(headers.get('content-type')).toMatch(/^text\/html/)
  const policy = headers.get('content-security-policy') ?? ''
  const nonce = /script-src[^;]*'nonce-([\w+/=-]{22,})'/.exec(policy)?.[1] ?? ''
  expect(nonce).not.toBe('')
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("base-uri 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|\*/)
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': expect.stringContaining('no-store'),
  })
  // Whatever runs on the page is from us: scripts carry the nonce or stand in the policy by their hash.
  for (const [, attributes = '', script = ''] of text.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)) {
    const hash = `'sha256-${createHash('sha256').update(script).digest('base64')}'`
    expect(attributes.includes(`nonce="${nonce}"`) || policy.includes(hash), script).toBe(true)
  }
  expect(text).not.toMatch(/<[^>]+\son\w+=|style="|javascript:/)
}

describe('security headers', () => {
  let door: FrontDoor
  beforeAll(async () => {
    door = await openFrontDoor({
      client: { firstParty: false, postLogoutRedirectUris: ['http://localhost:9999/bye'] },
    })
  })
  afterAll(() => door[Symbol.asyncDispose]())
  const page = async (got: Promise<Page>, status: number): Promise<Page> => {
    const answer = await got
    expect([answer.status, answer.url]).toEqual([status, answer.url])
    expectGuarded(answer, answer.text)
    return answer
  }

  it('stand on the pages of a sign-in', async () => {
    const visitor = newVisitor()
    const form = await page(door.begin(visitor), 200)
    await page(
      visitor.submit(form, { identifier: ada.email, password: 'wrong' }, { action: '/password' }),
      401,
    )
    await page(door.signIn(visitor), 200) // asks for consent
    await page(newVisitor().get(form.url), 403) // another browser
    await page(visitor.get(`${form.url}0`), 410)
  })

  it('stand on the pages of set-up, password links, home and sign-out', async () => {
    const { issuer, app } = door.latchkey
    const link = await app.features.setup.setup.issueLink()
    await page(newVisitor().get(link.url), 200)
    await page(newVisitor().get(`${issuer}/setup`), 403)
    await page(newVisitor().get(`${issuer}/set-password?token=x`), 403)
    const { url } = await app.features.passwords.passwords.issueLink(door.adaId, 'reset', {
      actor: { kind: 'system' },
    })
    await page(newVisitor().get(url), 200)
    const visitor = await door.signedIn()
    const home = await page(visitor.get(`${issuer}/account`), 200)
    await page(visitor.follow(await visitor.submit(home, {}, { action: '/sign-out' })), 200)
  })

  it('stand on the pages that the library answers with', async () => {
    const { issuer } = door.latchkey
    await page(newVisitor().get(`${issuer}/auth`), 400)
    await page(newVisitor().get(`${issuer}/auth?client_id=nobody`), 400)
    await page(newVisitor().get(door.authorizationUrl({ redirect_uri: 'https://evil.test/' })), 400)
    await page(newVisitor().get(`${issuer}/auth/no-such-interaction`), 400)
    await page(newVisitor().get(`${issuer}/session/end?id_token_hint=rubbish`), 400)
    const visitor = await door.signedIn()
    const confirm = await page(
      visitor.get(
        `${issuer}/session/end?client_id=${door.client.id}&post_logout_redirect_uri=${encodeURIComponent('http://localhost:9999/bye')}`,
      ),
      200,
    )
    expect(confirm.headers.get('content-security-policy')).toContain(
      "form-action 'self' http://localhost:9999",
    )
    await page(newVisitor().get(`${issuer}/session/end/success`), 200)
    await page(newVisitor().post(`${issuer}/session/end/confirm`, {}), 400)
  })

  it('stand on the pages for errors of the host', async () => {
    const { issuer } = door.latchkey
    await page(newVisitor().get(`${issuer}/no-such-page`), 404)
    await page(newVisitor().get(`${issuer}/%00`), 400)
    await page(newVisitor().get(`${issuer}/?${'x'.repeat(9_000)}`), 414)
    await page(newVisitor().post(`${issuer}/setup`, {}), 403)
    await page(newVisitor().post(`${issuer}/setup`, { x: 'x'.repeat(70_000) }), 413)
    const foreign = await exchange(door.latchkey.server.port, {
      target: '/',
      host: 'evil.test',
      headers: [['Accept', 'text/html']],
    })
    expect(foreign.status).toBe(421)
    expectGuarded(foreign, foreign.text)
  })

  it('have a nonce of their own each time', async () => {
    const nonces = await Promise.all(
      Array.from(
        { length: 10 },
        async () =>
          /'nonce-([^']+)'/.exec(
            (await newVisitor().get(`${door.latchkey.issuer}/signed-out`)).headers.get(
              'content-security-policy',
            ) ?? '',
          )?.[1],
      ),
    )
    expect(new Set(nonces).size).toBe(10)
  })

  it('let a form_post response reach its application and run its own script, and nothing else', async () => {
    await using own = await openFrontDoor()
    const visitor = newVisitor()
    const form = await own.begin(visitor, { response_mode: 'form_post' })
    const answer = await visitor.follow(
      await visitor.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    expect(answer.status).toBe(200)
    expect(answer.text).toContain(`action="${redirectUri}"`)
    expectGuarded(answer, answer.text)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/script-src [^;]*'sha256-/)
    expect(policy).toMatch(/form-action 'self' http:\/\/localhost:9999(;|$)/)
  })

  it('let a sign-in form lead to its application alone', async () => {
    const form = await door.begin(newVisitor())
    expect(form.headers.get('content-security-policy')).toMatch(
      /form-action 'self' http:\/\/localhost:9999(;|$)/,
    )
    const setup = await newVisitor().get(`${door.latchkey.issuer}/signed-out`)
    expect(setup.headers.get('content-security-policy')).toMatch(/form-action 'self'(;|$)/)
  })

  it('let nobody keep a page of somebody, and everybody keep an asset and the public documents', async () => {
    const { issuer } = door.latchkey
    const form = await door.begin(newVisitor())
    const asset = /href="(\/assets\/latchkey\.[0-9a-f]{8}\.css)"/.exec(form.text)?.[1] ?? ''
    const kept = await fetch(issuer + asset)
    expect([kept.status, kept.headers.get('cache-control')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
    ])
    expect(kept.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await fetch(`${issuer}/jwks`)).headers.get('cache-control')).toContain('public')
    expect((await fetch(`${issuer}/assets/..%2f..%2fpackage.json`)).status).toBe(404)
    expect((await fetch(`${issuer}/assets/latchkey.00000000.css`)).status).toBe(404)
  })

  it('promise https on an https issuer alone', async () => {
    expect(
      (await newVisitor().get(`${door.latchkey.issuer}/signed-out`)).headers.get('strict-transport-security'),
    ).toBeNull()
    await using secure = await openFrontDoor({ environment: { LATCHKEY_ISSUER: 'https://id.example.test' } })
    for (const target of ['/signed-out', '/jwks', '/no-such-page', '/health/live']) {
      const answer = await exchange(secure.latchkey.server.port, {
        target,
        host: 'id.example.test',
        headers: [['Accept', 'text/html']],
      })
      expect(answer.headers.get('strict-transport-security'), target).toBe('max-age=31536000')
    }
  })
})
