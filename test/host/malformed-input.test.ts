import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redirectUri } from '../support/front-door.ts'
import { expectRefused, formType, openTarget, type Target } from '../support/malformed.ts'
import { newVisitor } from '../support/visitor.ts'
import { exchange } from '../support/wire.ts'

describe('malformed input', () => {
  let target: Target
  beforeAll(async () => {
    target = await openTarget()
  })
  afterAll(() => target.close())

  const badTexts = ['%00', 'a%00b', '%ff', '%c3%28', '%ed%a0%80', '%c0%80', '%', '%g0', '%u0041', 'x%e2%82']
  const places = [
    '/',
    '/interaction/',
    '/assets/',
    '/auth?state=',
    '/auth?client_id=',
    '/auth?login_hint=',
    '/setup?token=',
    '/set-password?token=',
    '/session/end?id_token_hint=',
    '/session/end?state=',
    '/no-such/',
    '/auth/',
    '/?',
  ]

  it.each(places)('in the address after %s is refused', async (place) => {
    for (const text of badTexts) expectRefused((await target.get(place + text)).status, place + text)
    for (const bytes of ['\xff', '\xc3\xa9', '\x80'])
      expectRefused((await target.get(place + bytes)).status, place)
  })

  const posts = [
    '/token',
    '/token/introspection',
    '/token/revocation',
    '/request',
    '/auth',
    '/setup',
    '/set-password',
    '/sign-out',
    '/interaction/x/password',
    '/session/end',
    '/session/end/confirm',
    '/me',
  ]

  it.each(posts)('in a form to %s is refused', async (path) => {
    for (const text of badTexts) {
      expectRefused(
        (await target.post(path, `grant_type=client_credentials&client_id=${text}&token=${text}&password=x`))
          .status,
        text,
      )
      expectRefused((await target.post(path, `${text}=x`)).status, text)
    }
    for (const bytes of [[0], [0xff, 0xfe], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
      expectRefused(
        (await target.post(path, Buffer.from([...Buffer.from('client_id='), ...bytes]))).status,
        String(bytes),
      )
    }
    expectRefused(
      (
        await target.post(path, Buffer.from('client_id=a\0', 'utf16le'), [
          ['Content-Type', `${formType}; charset=utf-16le`],
        ])
      ).status,
      'utf-16',
    )
    expectRefused((await target.post(path, 'client_id=a', [['Content-Encoding', 'gzip']])).status, 'gzip')
  })

  it.each(posts)('of another kind to %s is refused', async (path) => {
    const send = async (type: string, body: string) =>
      (
        await exchange(target.port, {
          method: 'POST',
          target: path,
          host: target.host,
          body,
          headers: [
            ['Content-Type', type],
            ['Origin', target.door.latchkey.issuer],
          ],
        })
      ).status
    for (const [type, body] of [
      ['application/json', '{"client_id":{"contains":"a"},"grant_type":["client_credentials"]}'],
      ['application/json', '{'],
      ['application/json', '{"client_id":"\\u0000"}'],
      ['text/plain', 'client_id=a'],
      [
        'multipart/form-data; boundary=b',
        '--b\r\nContent-Disposition: form-data; name="client_id"\r\n\r\na\r\n--b--\r\n',
      ],
      [`${formType}; charset=no-such-charset`, 'client_id=a'],
      ['nonsense', 'x'],
    ] as const) {
      expectRefused(await send(type, body), `${type} ${body}`)
    }
  })

  it('with a parameter given twice is refused', async () => {
    const url = new URL(target.door.authorizationUrl())
    for (const [name, value] of url.searchParams) {
      const { status, headers } = await target.get(
        `${url.pathname}${url.search}&${name}=${encodeURIComponent(value)}`,
      )
      const location = headers.get('location') ?? ''
      expect(
        status >= 400 || /[?&]error=invalid_request/.test(location),
        `${name} ${status} ${location}`,
      ).toBe(true)
      expect(status, name).toBeLessThan(500)
    }
    const basic = [
      'Authorization',
      `Basic ${btoa(`${target.door.client.id}:${target.door.client.secret}`)}`,
    ] as const
    for (const twice of [
      'grant_type=client_credentials&grant_type=client_credentials',
      'grant_type=client_credentials&scope=a&scope=b',
      'grant_type=authorization_code&code=a&code=b',
    ]) {
      expect((await target.post('/token', twice, [basic])).status).toBe(400)
    }
    expect((await target.get('/setup?token=a&token=b')).status).toBe(403)
    expect((await target.get('/set-password?token=a&token=b')).status).toBe(403)
    expect((await target.get('/setup?ui_locales=de&ui_locales=en')).status).toBe(403)
  })

  it('in a request for claims, a resource or a prompt is refused or means nothing', async () => {
    const requests: readonly Readonly<Record<string, string>>[] = [
      { claims: '{"userinfo":{"\\u0000":null},"id_token":{"__proto__":{"essential":true}}}' },
      { claims: '{' },
      { claims: '[]' },
      { claims: '{"userinfo":"x"}' },
      { resource: 'https://api.example.test/%00' },
      { resource: 'x'.repeat(3_000) },
      { max_age: '-1' },
      { max_age: '99999999999999999999' },
      { max_age: 'x' },
      { prompt: 'none login' },
      { prompt: '__proto__' },
      { ui_locales: '../../etc/passwd' },
      { ui_locales: '__proto__ constructor toString' },
      { login_hint: '\u{1f600}'.repeat(200) },
      { response_mode: 'fragment.jwt' },
      { code_challenge_method: 'plain' },
      { redirect_uri: `${redirectUri}/../x` },
      { id_token_hint: 'x.y.z' },
      { request: 'x.y.z' },
      { request_uri: 'urn:ietf:params:oauth:request_uri:nothing' },
    ]
    for (const params of requests) {
      const url = new URL(target.door.authorizationUrl(params))
      const answer = await target.get(url.pathname + url.search)
      expect(answer.status, JSON.stringify(params).slice(0, 80)).toBeLessThan(500)
      expect(answer.headers.get('location') ?? '', JSON.stringify(params).slice(0, 80)).not.toContain(
        'server_error',
      )
      const path = answer.headers.get('location') ?? ''
      if (path.startsWith('/interaction')) {
        const visitor = newVisitor()
        const page = await visitor.follow(await visitor.get(target.door.authorizationUrl(params)))
        expect([page.status, params]).toEqual([200, params])
      }
    }
  })
})
