import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import {
  answered,
  callbackUrl,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const home = 'https://app.example.test'
const second = 'http://localhost:5173'
const other = 'https://other.example.test'

describe('calls by scripts of other origins', () => {
  let latchkey: RunningLatchkey
  let app: RelyingParty
  let neighbour: RelyingParty

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const input = { kind: 'spa', firstParty: true }
    app = await relyingParty(latchkey, { ...input, name: 'App', allowedOrigins: [home, second] })
    neighbour = await relyingParty(latchkey, { ...input, name: 'Neighbour', allowedOrigins: [other] })
  })
  afterAll(() => latchkey.close())

  const exchange = async (origin: string, party = app): Promise<Response> => {
    const request = await party.request()
    const { code = '' } = answered(await walkThrough(newVisitor(), request.url, ada))
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: party.client.id,
      code,
      redirect_uri: callbackUrl,
      code_verifier: request.verifier,
    })
    return await fetch(`${latchkey.issuer}/token`, { method: 'POST', headers: { origin }, body })
  }
  const me = (token: string, origin: string): Promise<Response> =>
    fetch(`${latchkey.issuer}/me`, { headers: { origin, authorization: `Bearer ${token}` } })
  const allowed = ({ headers }: Response): string | null => headers.get('access-control-allow-origin')
  /** What the library would compare with if it asked Koa for its origin: Koa 3 answers with the header that was sent. */
  const strangers = (): readonly string[] => [
    other,
    'https://evil.test',
    `${home}.evil.test`,
    `${home}:8443`,
    'http://app.example.test',
    'null',
    latchkey.issuer,
    'http://localhost:9999',
    `${home}/`,
    home.toUpperCase(),
  ]

  it.each([home, second])(
    'are answered for the registered origin %s, without credentials',
    async (origin) => {
      const response = await exchange(origin)
      expect([response.status, allowed(response)]).toEqual([200, origin])
      expect(response.headers.get('vary')?.toLowerCase()).toContain('origin')
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
      const { access_token: token } = (await response.json()) as { access_token: string }
      const userinfo = await me(token, origin)
      expect([userinfo.status, allowed(userinfo)]).toEqual([200, origin])
      expect(userinfo.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate/i)
    },
  )

  it('get no token where the origin is not the client’s own, and the code is not lost on the way', async () => {
    for (const origin of strangers()) {
      const response = await exchange(origin)
      expect([origin, response.status, allowed(response)]).toEqual([origin, 400, null])
      expect(await response.text()).not.toContain('access_token')
    }
  })

  it('get no claims where the origin is not that of the client which the token is of', async () => {
    const { access_token: token } = (await (await exchange(home)).json()) as { access_token: string }
    for (const origin of strangers()) {
      const response = await me(token, origin)
      expect([origin, response.status, allowed(response)]).toEqual([origin, 400, null])
      expect(await response.text()).not.toContain(ada.email)
    }
    expect(allowed(await me(token, home))).toBe(home)
  })

  it('count for each client by itself', async () => {
    expect((await exchange(other, neighbour)).status).toBe(200)
    expect((await exchange(home, neighbour)).status).toBe(400)
  })

  it('can read why they were refused, if they come from the right origin', async () => {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: app.client.id,
      code: 'unknown',
      redirect_uri: callbackUrl,
      code_verifier: 'x'.repeat(43),
    })
    const response = await fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers: { origin: home },
      body,
    })
    expect([response.status, allowed(response)]).toEqual([400, home])
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  })

  it.each(['/token', '/me', '/token/revocation'])('may ask before they call %s', async (path) => {
    const headers = {
      origin: home,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,dpop',
    }
    const response = await fetch(latchkey.issuer + path, { method: 'OPTIONS', headers })
    expect(response.status).toBe(204)
    expect(allowed(response)).toBe(home)
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization,dpop')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('are not answered by pages, nor by the authorization endpoint', async () => {
    const { url } = await app.request()
    for (const address of [url, `${latchkey.issuer}/`, `${latchkey.issuer}/session/end`]) {
      const response = await fetch(address, { headers: { origin: home }, redirect: 'manual' })
      expect([address, allowed(response)]).toEqual([address, null])
    }
  })
})
