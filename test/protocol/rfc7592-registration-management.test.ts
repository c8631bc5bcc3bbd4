import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { times } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const callback = 'https://app.example.com/callback'
const asked = { client_name: 'Agent', redirect_uris: [callback], token_endpoint_auth_method: 'none' }

interface Registered {
  readonly client_id: string
  readonly registration_access_token: string
  readonly registration_client_uri: string
}

describe('managing a registration', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey({
      environment: {
        LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
        LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '1000',
      },
    })
  })
  afterAll(() => latchkey?.close())

  const call = async (url: string, method: string, { token, body }: { token: string; body?: unknown }) => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
  }
  const register = async (): Promise<Registered> =>
    (await call(`${latchkey.issuer}/reg`, 'POST', { token: '', body: asked })).body as unknown as Registered

  it('reads without showing a secret again', async () => {
    const made = await register()
    const read = await call(made.registration_client_uri, 'GET', { token: made.registration_access_token })
    expect(read).toMatchObject({ status: 200, body: { client_id: made.client_id, client_name: 'Agent' } })
    expect(read.body).not.toHaveProperty('client_secret')
  })

  it('replaces the whole registration and the token', async () => {
    const made = await register()
    const body = { ...asked, client_id: made.client_id, client_name: 'Renamed', contacts: ['a@example.com'] }
    const updated = await call(made.registration_client_uri, 'PUT', {
      token: made.registration_access_token,
      body,
    })
    expect(updated).toMatchObject({
      status: 200,
      body: { client_name: 'Renamed', contacts: ['a@example.com'] },
    })
    const next = String(updated.body.registration_access_token)
    expect(next).not.toBe(made.registration_access_token)
    expect(
      (await call(made.registration_client_uri, 'GET', { token: made.registration_access_token })).status,
    ).toBe(401)
    const again = await call(made.registration_client_uri, 'PUT', {
      token: next,
      body: { ...asked, client_id: made.client_id },
    })
    expect(again.body).not.toHaveProperty('contacts')
  })

  it('lets one of twenty updates through that come at once with one token', async () => {
    const made = await register()
    const body = { ...asked, client_id: made.client_id }
    const answers = await times(20, () =>
      call(made.registration_client_uri, 'PUT', { token: made.registration_access_token, body }),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
  })

  it('refuses the token of another client, and leaves it working for its own', async () => {
    const [mine, other] = [await register(), await register()]
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { ...asked, client_id: other.client_id } : undefined
      const answer = await call(other.registration_client_uri, method, {
        token: mine.registration_access_token,
        body,
      })
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
    }
    expect(
      (await call(mine.registration_client_uri, 'GET', { token: mine.registration_access_token })).status,
    ).toBe(200)
  })

  it('does not manage a client that an administrator made', async () => {
    const { id } = await latchkey.createClient({ kind: 'service', name: 'Ours', scopes: [] })
    const { registration_access_token: token } = await register()
    expect((await call(`${latchkey.issuer}/reg/${id}`, 'DELETE', { token })).status).toBe(401)
  })

  it.each([
    [{ client_id: 'another' }],
    [{ client_secret: 'chosen' }],
    [{ token_endpoint_auth_method: 'client_secret_basic' }],
    [{ redirect_uris: ['javascript:alert(1)'] }],
    [{ grant_types: ['client_credentials'] }],
  ])('refuses the update %o and keeps the token', async (more) => {
    const made = await register()
    const body = { ...asked, client_id: made.client_id, ...more }
    expect(
      (await call(made.registration_client_uri, 'PUT', { token: made.registration_access_token, body }))
        .status,
    ).toBe(400)
    expect(
      (await call(made.registration_client_uri, 'GET', { token: made.registration_access_token })).status,
    ).toBe(200)
  })

  it('removes the client, which then gets nothing', async () => {
    const made = await register()
    expect(
      (await call(made.registration_client_uri, 'DELETE', { token: made.registration_access_token })).status,
    ).toBe(204)
    expect(
      (await call(made.registration_client_uri, 'GET', { token: made.registration_access_token })).status,
    ).toBe(401)
    expect(await latchkey.app.features.clients.clients.find(made.client_id)).toBeUndefined()
  })

  it('does not enable what an administrator disabled', async () => {
    const made = await register()
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(made.client_id)
    if (item === undefined) throw new Error('no such client')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, { kind: 'command-line' })
    await call(made.registration_client_uri, 'PUT', {
      token: made.registration_access_token,
      body: { ...asked, client_id: made.client_id },
    })
    expect(await resource.find(made.client_id)).toMatchObject({ state: 'disabled' })
  })
})
