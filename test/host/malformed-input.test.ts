import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, type FrontDoor, interactionPath, openFrontDoor, redirectUri } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'
import { exchange, exchangeBytes } from '../support/wire.ts'

const megabyte = 1024 * 1024
const form = 'application/x-www-form-urlencoded'

/** A body of so many megabytes whose length is not announced. */
const inChunks = (megabytes: number): ReadableStream<Uint8Array> => {
  let left = megabytes
  return new ReadableStream({
    pull(controller) {
      left -= 1
      if (left < 0) controller.close()
      else controller.enqueue(new Uint8Array(megabyte).fill(97))
    },
  })
}

describe('malformed input', () => {
  let door: FrontDoor
  let host: string
  beforeAll(async () => {
    door = await openFrontDoor()
    host = new URL(door.latchkey.issuer).host
  })
  afterAll(async () => {
    // After all of this the server goes on as if nothing had been.
    expect((await door.signIn(newVisitor())).location).toMatch(/^http:\/\/localhost:9999\/callback\?code=/)
    const errors = door.latchkey.logged.filter((line) => line.startsWith('{"level":"error"'))
    expect(errors).toEqual([])
    await door[Symbol.asyncDispose]()
  })

  const expectRefused = (status: number, what: string): void => {
    expect(status, what).toBeGreaterThanOrEqual(400)
    expect(status, what).toBeLessThan(500)
  }
  const get = async (target: string, headers: readonly (readonly [string, string])[] = [['Accept', 'text/html']]) =>
    await exchange(door.latchkey.server.port, { target, host, headers })
  const post = async (target: string, body: string | Buffer, headers: readonly (readonly [string, string])[] = []) =>
    await exchange(door.latchkey.server.port, { method: 'POST', target, host, body, headers: [['Content-Type', form], ['Origin', door.latchkey.issuer], ...headers] })

  const badTexts = ['%00', 'a%00b', '%ff', '%c3%28', '%ed%a0%80', '%c0%80', '%', '%g0', '%u0041', 'x%e2%82']
  const places = ['/', '/interaction/', '/assets/', '/auth?state=', '/auth?client_id=', '/auth?login_hint=', '/setup?token=', '/set-password?token=', '/session/end?id_token_hint=', '/session/end?state=', '/no-such/', '/auth/', '/?']

  it.each(places)('in the address after %s is refused', async (place) => {
    for (const text of badTexts) expectRefused((await get(place + text)).status, place + text)
    for (const bytes of ['\xff', '\xc3\xa9', '\x80']) expectRefused((await get(place + bytes)).status, place)
  })

  const posts = ['/token', '/token/introspection', '/token/revocation', '/request', '/auth', '/setup', '/set-password', '/sign-out', '/interaction/x/password', '/session/end', '/session/end/confirm', '/me']

  it.each(posts)('in a form to %s is refused', async (target) => {
    for (const text of badTexts) {
      expectRefused((await post(target, `grant_type=client_credentials&client_id=${text}&token=${text}&password=x`)).status, text)
      expectRefused((await post(target, `${text}=x`)).status, text)
    }
    for (const bytes of [[0], [0xff, 0xfe], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
      expectRefused((await post(target, Buffer.from([...Buffer.from('client_id='), ...bytes]))).status, String(bytes))
    }
    expectRefused((await post(target, Buffer.from('client_id=a\0', 'utf16le'), [['Content-Type', `${form}; charset=utf-16le`]])).status, 'utf-16')
    expectRefused((await post(target, 'client_id=a', [['Content-Encoding', 'gzip']])).status, 'gzip')
  })

  it.each(posts)('of another kind to %s is refused', async (target) => {
    const send = async (type: string, body: string) =>
      (await exchange(door.latchkey.server.port, { method: 'POST', target, host, body, headers: [['Content-Type', type], ['Origin', door.latchkey.issuer]] })).status
    for (const [type, body] of [
      ['application/json', '{"client_id":{"contains":"a"},"grant_type":["client_credentials"]}'],
      ['application/json', '{'],
      ['application/json', '{"client_id":"\\u0000"}'],
      ['text/plain', 'client_id=a'],
      ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="client_id"\r\n\r\na\r\n--b--\r\n'],
      [`${form}; charset=no-such-charset`, 'client_id=a'],
      ['nonsense', 'x'],
    ] as const) {
      expectRefused(await send(type, body), `${type} ${body}`)
    }
  })

  it('in credentials is refused', async () => {
    const { id, secret } = door.client
    const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`, 'latin1').toString('base64')}`
    const jwt = (payload: unknown) => [{ alg: 'RS256', typ: 'JWT' }, payload, 'x'].map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')).join('.')
    const headers = [
      basic('a%00b', secret), basic('a\0b', secret), basic('%ff', secret), basic('\xff\xfe', secret), basic('%', '%'), basic(id, 'x%00'), basic(id, '\0'), basic('', ''), basic('__proto__', 'x'),
      'Basic', 'Basic !!!', 'Bearer', 'Bearer \xff', 'Bearer a b', 'DPoP x', 'Nonsense',
    ]
    for (const authorization of headers) {
      for (const target of ['/token', '/token/introspection', '/token/revocation', '/request']) {
        const { status } = await post(target, 'grant_type=client_credentials&token=x', [['Authorization', authorization]])
        expectRefused(status, `${target} ${authorization}`)
      }
      expectRefused((await get('/me', [['Authorization', authorization]])).status, `/me ${authorization}`)
    }
    for (const claims of [{ sub: 'a\0b', iss: 'a\0b' }, { sub: { contains: 'a' }, iss: ['a'] }, { sub: '\ud800', iss: '\ud800' }, { aud: 'a\0b' }, { aud: ['x'] }, { aud: { contains: 'a' } }, { aud: 5 }, null, 'x', {}]) {
      const assertion = { grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: jwt(claims) }
      expectRefused((await post('/token', new URLSearchParams(assertion).toString())).status, JSON.stringify(claims))
      expectRefused((await get(`/session/end?id_token_hint=${jwt(claims)}`)).status, JSON.stringify(claims))
    }
    expectRefused((await post('/token', `grant_type=client_credentials&client_id=${id}`, [['DPoP', jwt({ jti: 'a\0b' })]])).status, 'DPoP')
  })

  it('in cookies and other headers does no harm', async () => {
    const values = ['%00', '%ff', 'x'.repeat(4_000), '"quoted', '{"a":{"b":1}}', '\xff\xfe', '=;=;', 'latchkey_session=a; latchkey_session=b']
    for (const value of values) {
      const cookie = ['latchkey_session', 'latchkey_interaction', 'latchkey_resume', 'latchkey_csrf', 'latchkey_device'].map((name) => `${name}=${value.slice(0, 1_000)}`).join('; ')
      for (const target of ['/', '/interaction/x', '/auth/x', '/session/end', '/signed-out']) {
        const { status } = await get(target, [['Cookie', cookie], ['Accept', 'text/html']])
        expect(status, `${target} ${value}`).toBeLessThan(500)
      }
    }
    for (const name of ['Accept', 'Accept-Language', 'User-Agent', 'Origin', 'X-Request-Id', 'X-Forwarded-For', 'If-None-Match', 'Range', 'Sec-Fetch-Site', 'Content-Type']) {
      for (const value of ['\xff\xfe', '%00', ',,,;;;q=', 'x'.repeat(5_000), '*', '{}']) {
        const { status } = await get('/no-such-page', [[name, value]])
        expect([name, value.slice(0, 10), status]).toEqual([name, value.slice(0, 10), 404])
        expect((await get('/setup', [[name, value]])).status).toBe(403)
      }
    }
    const { status } = await exchangeBytes(door.latchkey.server.port, Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: a=\0\r\nConnection: close\r\n\r\n`))
    expect(status).toBe(400)
  })

  it('with a parameter given twice is refused', async () => {
    const url = new URL(door.authorizationUrl())
    for (const [name, value] of url.searchParams) {
      const { status, headers } = await get(`${url.pathname}${url.search}&${name}=${encodeURIComponent(value)}`)
      const location = headers.get('location') ?? ''
      expect(status >= 400 || /[?&]error=invalid_request/.test(location), `${name} ${status} ${location}`).toBe(true)
      expect(status, name).toBeLessThan(500)
    }
    const basic = ['Authorization', `Basic ${btoa(`${door.client.id}:${door.client.secret}`)}`] as const
    for (const twice of ['grant_type=client_credentials&grant_type=client_credentials', 'grant_type=client_credentials&scope=a&scope=b', 'grant_type=authorization_code&code=a&code=b']) {
      expect((await post('/token', twice, [basic])).status).toBe(400)
    }
    expect((await get('/setup?token=a&token=b')).status).toBe(403)
    expect((await get('/set-password?token=a&token=b')).status).toBe(403)
    expect((await get('/setup?ui_locales=de&ui_locales=en')).status).toBe(403)
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
      const url = new URL(door.authorizationUrl(params))
      const answer = await get(url.pathname + url.search)
      expect(answer.status, JSON.stringify(params).slice(0, 80)).toBeLessThan(500)
      expect(answer.headers.get('location') ?? '', JSON.stringify(params).slice(0, 80)).not.toContain('server_error')
      const path = answer.headers.get('location') ?? ''
      if (path.startsWith('/interaction')) {
        const visitor = newVisitor()
        const page = await visitor.follow(await visitor.get(door.authorizationUrl(params)))
        expect([page.status, params]).toEqual([200, params])
      }
    }
  })

  it.each(['/token', '/setup', '/interaction/x/password', '/no-such-page', '/me', '/sign-out', '/auth'])('of 10 MB to %s is refused', async (target) => {
    const headers = { 'content-type': form, origin: door.latchkey.issuer }
    const withLength = await fetch(door.latchkey.issuer + target, { method: 'POST', headers, body: Buffer.alloc(10 * megabyte, 'a') })
    expect(withLength.status).toBe(413)
    const chunked = await fetch(door.latchkey.issuer + target, Object.assign({ method: 'POST', headers, body: inChunks(10) }, { duplex: 'half' }))
    expectRefused(chunked.status, target)
    const lying = await exchangeBytes(door.latchkey.server.port, Buffer.from(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${form}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`))
    expectRefused(lying.status, 'length and chunks')
  })

  it('of any size in an address or header is refused', async () => {
    for (const length of [9_000, 100_000]) {
      expectRefused((await get(`/auth?state=${'x'.repeat(length)}`)).status, 'address')
      expectRefused((await get(`/${'x'.repeat(length)}`)).status, 'path')
    }
    expectRefused((await get('/', [['X-Long', 'x'.repeat(100_000)]])).status, 'header')
  })

  it('that is no HTTP is refused', async () => {
    for (const text of ['\r\n\r\n\r\nx', 'GET / HTTP/9.9\r\n\r\n', 'nonsense\r\n\r\n', `GET /a b HTTP/1.1\r\nHost: ${host}\r\n\r\n`, `GET / HTTP/1.1\r\nHost: ${host}\r\nX: a\nY: b\0\r\n\r\n`, `POST /token HTTP/1.1\r\nHost: ${host}\r\nContent-Length: -1\r\n\r\n`]) {
      expectRefused((await exchangeBytes(door.latchkey.server.port, Buffer.from(text))).status, JSON.stringify(text))
    }
  })

  it('in the fields of a sign-in says what any wrong password says, or that it cannot be read', async () => {
    const visitor = newVisitor()
    const page = await door.begin(visitor)
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
