import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { exchange, exchangeBytes, type WireRequest } from '../support/wire.ts'

const targets = [
  ['GET', '/'],
  ['GET', '/auth?client_id=latchkey&response_type=none&scope=openid'],
  ['POST', '/auth'],
  ['POST', '/token'],
  ['POST', '/token/introspection'],
  ['POST', '/token/revocation'],
  ['POST', '/request'],
  ['GET', '/me'],
  ['GET', '/jwks'],
  ['GET', '/.well-known/openid-configuration'],
  ['GET', '/.well-known/oauth-authorization-server'],
  ['GET', '/interaction/x'],
  ['POST', '/interaction/x/password'],
  ['GET', '/setup'],
  ['POST', '/setup'],
  ['GET', '/set-password?token=x'],
  ['POST', '/sign-out'],
  ['GET', '/signed-out'],
  ['GET', '/assets/latchkey.css'],
  ['GET', '/health/live'],
  ['GET', '/health/ready'],
  ['GET', '/session/end'],
  ['POST', '/session/end/confirm'],
  ['GET', '/no-such-page'],
  ['OPTIONS', '/token'],
  ['HEAD', '/'],
] as const

describe('host check', () => {
  let latchkey: RunningLatchkey
  let own: string
  beforeAll(async () => {
    latchkey = await startLatchkey()
    own = new URL(latchkey.issuer).host
  })
  afterAll(() => latchkey.close())

  const send = (request: WireRequest) => exchange(latchkey.server.port, request)

  it.each(targets)('refuses %s %s at another host', async (method, target) => {
    for (const host of [
      'evil.test',
      `evil.test:${latchkey.server.port}`,
      `${own}.evil.test`,
      `${own}@evil.test`,
      'localhost',
      '',
    ]) {
      const { status, raw } = await send({ method, target, host, headers: [['Accept', 'text/html']] })
      expect(status, host).toBeGreaterThanOrEqual(400)
      expect(status, host).toBeLessThan(500)
      expect(raw).not.toContain('evil.test')
    }
  })

  it.each(targets)('refuses %s %s without a Host', async (method, target) => {
    for (const version of ['1.1', '1.0']) {
      const { status } = await send({ method, target, host: null, version })
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }
  })

  it('refuses a request target that names a host itself', async () => {
    for (const [method, target] of [
      ['GET', 'http://evil.test/auth'],
      ['GET', `http://${own}/jwks`],
      ['OPTIONS', '*'],
      ['GET', 'evil.test:443'],
    ] as const) {
      const { status, raw } = await send({ method, target, host: own })
      expect([400, 421], target).toContain(status)
      expect(raw).not.toContain('evil.test')
    }
  })

  it('takes its own host in any case', async () => {
    expect((await send({ target: '/jwks', host: own.toUpperCase() })).status).toBe(200)
  })

  it('refuses two hosts in one request', async () => {
    const bytes = (first: string, second: string) =>
      Buffer.from(`GET /jwks HTTP/1.1\r\nHost: ${first}\r\nHost: ${second}\r\nConnection: close\r\n\r\n`)
    for (const [first, second] of [
      [own, 'evil.test'],
      ['evil.test', own],
    ] as const) {
      const { status, raw } = await exchangeBytes(latchkey.server.port, bytes(first, second))
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(raw).not.toContain('evil.test')
    }
  })

  it.each([
    ['a stranger', {}],
    ['a trusted proxy', { LATCHKEY_HOST_TRUSTED_PROXIES: '127.0.0.0/8,::1' }],
  ])('builds every address from the issuer when %s forwards another host', async (_who, environment) => {
    await using server = await startLatchkey({ environment })
    const host = new URL(server.issuer).host
    const headers = [
      ['X-Forwarded-Host', 'evil.test'],
      ['X-Forwarded-Proto', 'gopher'],
      ['X-Forwarded-Port', '666'],
      ['Forwarded', 'host=evil.test;proto=gopher'],
      ['X-Original-URL', 'http://evil.test/'],
      ['Origin', 'http://evil.test'],
      ['Accept', 'text/html'],
    ] as const
    for (const [method, target] of targets) {
      const { status, raw } = await exchange(server.server.port, { method, target, host, headers })
      expect(status, `${method} ${target}`).toBeLessThan(500)
      expect(raw.replace(/access-control-allow-origin: .*/i, ''), `${method} ${target}`).not.toMatch(
        /evil\.test|gopher/,
      )
    }
    const { text } = await exchange(server.server.port, {
      target: '/.well-known/openid-configuration',
      host,
      headers: headers.filter(([name]) => name !== 'Accept'),
    })
    const document = JSON.parse(text) as Record<string, unknown>
    expect(document).toMatchObject({ issuer: server.issuer, token_endpoint: `${server.issuer}/token` })
    const addresses = Object.entries(document).filter(
      ([name]) => name.endsWith('_endpoint') || name.endsWith('_uri'),
    )
    expect(addresses.length).toBeGreaterThan(5)
    for (const [name, address] of addresses)
      expect(String(address), name).toMatch(new RegExp(`^${server.issuer}/`))
  })
})
