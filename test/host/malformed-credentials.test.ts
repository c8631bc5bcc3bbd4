import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, interactionPath } from '../support/front-door.ts'
import { expectRefused, openTarget, type Target } from '../support/malformed.ts'
import { newVisitor } from '../support/visitor.ts'
import { exchangeBytes } from '../support/wire.ts'

describe('malformed credentials', () => {
  let target: Target
  beforeAll(async () => {
    target = await openTarget()
  })
  afterAll(() => target.close())

  it('in credentials is refused', async () => {
    const { id, secret } = target.door.client
    const basic = (user: string, password: string) =>
      `Basic ${Buffer.from(`${user}:${password}`, 'latin1').toString('base64')}`
    const jwt = (payload: unknown) =>
      [{ alg: 'RS256', typ: 'JWT' }, payload, 'x']
        .map((part) =>
          Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'),
        )
        .join('.')
    const headers = [
      basic('a%00b', secret),
      basic('a\0b', secret),
      basic('%ff', secret),
      basic('\xff\xfe', secret),
      basic('%', '%'),
      basic(id, 'x%00'),
      basic(id, '\0'),
      basic('', ''),
      basic('__proto__', 'x'),
      'Basic',
      'Basic !!!',
      'Bearer',
      'Bearer \xff',
      'Bearer a b',
      'DPoP x',
      'Nonsense',
    ]
    for (const authorization of headers) {
      for (const path of ['/token', '/token/introspection', '/token/revocation', '/request']) {
        const { status } = await target.post(path, 'grant_type=client_credentials&token=x', [
          ['Authorization', authorization],
        ])
        expectRefused(status, `${path} ${authorization}`)
      }
      expectRefused(
        (await target.get('/me', [['Authorization', authorization]])).status,
        `/me ${authorization}`,
      )
    }
    for (const claims of [
      { sub: 'a\0b', iss: 'a\0b' },
      { sub: { contains: 'a' }, iss: ['a'] },
      { sub: '\ud800', iss: '\ud800' },
      { aud: 'a\0b' },
      { aud: ['x'] },
      { aud: { contains: 'a' } },
      { aud: 5 },
      null,
      'x',
      {},
    ]) {
      const assertion = {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: jwt(claims),
      }
      expectRefused(
        (await target.post('/token', new URLSearchParams(assertion).toString())).status,
        JSON.stringify(claims),
      )
      expectRefused(
        (await target.get(`/session/end?id_token_hint=${jwt(claims)}`)).status,
        JSON.stringify(claims),
      )
    }
    expectRefused(
      (
        await target.post('/token', `grant_type=client_credentials&client_id=${id}`, [
          ['DPoP', jwt({ jti: 'a\0b' })],
        ])
      ).status,
      'DPoP',
    )
  })

  it('in cookies and other headers does no harm', async () => {
    const values = [
      '%00',
      '%ff',
      'x'.repeat(4_000),
      '"quoted',
      '{"a":{"b":1}}',
      '\xff\xfe',
      '=;=;',
      'latchkey_session=a; latchkey_session=b',
    ]
    for (const value of values) {
      const cookie = [
        'latchkey_session',
        'latchkey_interaction',
        'latchkey_resume',
        'latchkey_csrf',
        'latchkey_device',
      ]
        .map((name) => `${name}=${value.slice(0, 1_000)}`)
        .join('; ')
      for (const path of ['/', '/interaction/x', '/auth/x', '/session/end', '/signed-out']) {
        const { status } = await target.get(path, [
          ['Cookie', cookie],
          ['Accept', 'text/html'],
        ])
        expect(status, `${path} ${value}`).toBeLessThan(500)
      }
    }
    for (const name of [
      'Accept',
      'Accept-Language',
      'User-Agent',
      'Origin',
      'X-Request-Id',
      'X-Forwarded-For',
      'If-None-Match',
      'Range',
      'Sec-Fetch-Site',
      'Content-Type',
    ]) {
      for (const value of ['\xff\xfe', '%00', ',,,;;;q=', 'x'.repeat(5_000), '*', '{}']) {
        const { status } = await target.get('/no-such-page', [[name, value]])
        expect([name, value.slice(0, 10), status]).toEqual([name, value.slice(0, 10), 404])
        expect((await target.get('/setup', [[name, value]])).status).toBe(403)
      }
    }
    const { status } = await exchangeBytes(
      target.port,
      Buffer.from(`GET / HTTP/1.1\r\nHost: ${target.host}\r\nCookie: a=\0\r\nConnection: close\r\n\r\n`),
    )
    expect(status).toBe(400)
  })

  it('in the fields of a sign-in says what any wrong password says, or that it cannot be read', async () => {
    const visitor = newVisitor()
    const page = await target.door.begin(visitor)
    for (const [identifier, password, status] of [
      ['', '', 400],
      [ada.email, '', 400],
      ['', ada.password, 401],
      ['x'.repeat(321), ada.password, 400],
      [ada.email, 'x'.repeat(1_025), 400],
      ["' OR 1=1 --", "' OR 1=1 --", 401],
      ['{"contains":"a"}', '[object Object]', 401],
      ['%', '_', 401],
      ['\u202eada@example.test', ada.password, 401],
      ['ada@example.test\u0085', ada.password, 401],
    ] as const) {
      const answer = await visitor.clone().submit(page, { identifier, password }, { action: '/password' })
      expect([identifier.slice(0, 20), answer.status]).toEqual([identifier.slice(0, 20), status])
    }
    expect(interactionPath(page)).toBe(new URL(page.url).pathname)
  })
})
