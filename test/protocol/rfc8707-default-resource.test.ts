import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, registerDevice } from '../support/devices.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery staple' }
const database = 'https://postgres.example.test'
const other = 'https://other.example.test'

describe('the API of a client whose requests name none', () => {
  let latchkey: RunningLatchkey

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    for (const indicator of [database, other])
      await latchkey.createApi({
        indicator,
        name: 'Database',
        tokenFormat: 'jwt',
        scopes: [{ name: 'login', description: 'Use it' }],
      })
  })
  afterAll(() => latchkey.close())

  async function tokenOf(
    client: Readonly<Record<string, unknown>>,
    request: Readonly<Record<string, string>>,
  ) {
    const device = await registerDevice(latchkey, { scopes: ['openid', 'login'], ...client })
    const asked = await device.begin(request)
    await approve(newVisitor(), asked, ada)
    return (await device.poll(asked)).body
  }

  it('is that of its registration, with the scopes that it may have there', async () => {
    const { access_token: token } = await tokenOf({ defaultResource: database }, { scope: 'login' })
    expect(decodeJwt(String(token))).toMatchObject({ aud: database, scope: 'login' })
  })

  it('is the one that a request names nevertheless', async () => {
    const request = { scope: 'login', resource: other }
    const { access_token: token } = await tokenOf({ defaultResource: database }, request)
    expect(decodeJwt(String(token)).aud).toBe(other)
  })

  it('is left aside with openid, where the token is for userinfo', async () => {
    const { access_token: token } = await tokenOf({ defaultResource: database }, { scope: 'openid login' })
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${latchkey.issuer}/me`, { headers })).status).toBe(200)
  })

  it('gives nothing that the client may not have', async () => {
    const device = await registerDevice(latchkey, { scopes: ['openid'], defaultResource: database })
    expect((await device.ask({ scope: 'openid' })).body).toMatchObject({ error: 'invalid_target' })
  })

  it('cannot be chosen by a client that registers itself', async () => {
    await using open = await startLatchkey({
      environment: { LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open' },
    })
    const response = await fetch(`${open.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: ['http://127.0.0.1:9999/callback'],
        token_endpoint_auth_method: 'none',
        default_resource: database,
      }),
    })
    const { client_id: id } = (await response.json()) as { client_id: string }
    expect(response.status).toBe(201)
    expect((await open.app.features.clients.clients.find(id))?.defaultResource).toBeUndefined()
  })
})
