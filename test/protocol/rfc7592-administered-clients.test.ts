import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, type Input, parseUpdate } from '../../src/kernel/input.ts'
import { send, times } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const asked = {
  client_name: 'Agent',
  redirect_uris: ['https://app.example.com/callback'],
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['authorization_code', 'refresh_token'],
}

type Metadata = Readonly<Record<string, unknown>>

/** A client that registered itself, and what it and an administrator do with it. */
async function registered(latchkey: RunningLatchkey, more: Metadata = {}) {
  const call = async (
    path: string,
    method: string,
    { token = '', body }: { token?: string; body: Metadata },
  ) => {
    const response = await fetch(`${latchkey.issuer}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const made = await call('/reg', 'POST', { body: { ...asked, ...more } })
  const id = String(made.body.client_id)
  const { resource } = latchkey.app.features.clients
  const item = async () => {
    const found = await resource.find(id)
    if (found === undefined) throw new Error('The client is gone.')
    return found
  }
  let token = String(made.body.registration_access_token)
  return {
    id,
    item,
    async put(body: Metadata = {}) {
      const answer = await call(`/reg/${id}`, 'PUT', { token, body: { ...asked, client_id: id, ...body } })
      if (answer.status === 200) token = String(answer.body.registration_access_token)
      return answer
    },
    restrict: async (changes: Input) =>
      await resource.update(await item(), accept(parseUpdate(resource.fields, changes)), commandLineActor),
  }
}

const restrictions = {
  scopes: ['openid'],
  grantTypes: ['authorization_code'],
  accessTokenTtlSeconds: 60,
  mayAct: { sub: 'nobody' },
  dpopBoundAccessTokens: true,
  dpopNonceRequired: true,
  requirePushedAuthorizationRequests: true,
  extraClaims: [{ claim: 'tier', from: 'fixed', value: 'low', in: ['id_token'] }],
  requiredLevel: 'multi-factor',
}

describe('what an administrator has set of a client that registered itself', () => {
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

  it('survives its updates, however often and whatever they say', async () => {
    const client = await registered(latchkey)
    await client.restrict(restrictions)
    const wide = {
      scope: 'openid profile email offline_access',
      dpop_bound_access_tokens: false,
      require_pushed_authorization_requests: false,
    }
    for (const body of [{}, wide, {}]) {
      expect(await client.put(body)).toMatchObject({
        status: 200,
        body: {
          scope: 'openid',
          grant_types: ['authorization_code'],
          dpop_bound_access_tokens: true,
          require_pushed_authorization_requests: true,
        },
      })
      expect(await client.item()).toMatchObject(restrictions)
    }
    expect(await latchkey.app.features.clients.clients.find(client.id)).toMatchObject(restrictions)
  })

  it('survives a profile that the client would rather not keep to', async () => {
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example.com/keys' }
    const client = await registered(latchkey, keys)
    await client.restrict({ profile: 'fapi-2-security', idTokenAlgorithm: 'ES256' })
    expect(await client.put(keys)).toMatchObject({ status: 200 })
    expect(await client.item()).toMatchObject({ profile: 'fapi-2-security', idTokenAlgorithm: 'ES256' })
  })

  it('stays even where it is what the client had said itself', async () => {
    const client = await registered(latchkey, { scope: 'openid' })
    await client.restrict({ scopes: ['openid'] })
    await client.put({ scope: 'openid profile' })
    expect(await client.item()).toMatchObject({ scopes: ['openid'] })
  })

  it('stays when it was taken away', async () => {
    const client = await registered(latchkey, { contacts: ['a@example.com'] })
    await client.restrict({ contacts: null })
    await client.put({ contacts: ['a@example.com'] })
    expect(await client.item()).not.toHaveProperty('contacts', ['a@example.com'])
  })

  it('is refused where the update contradicts it', async () => {
    const client = await registered(latchkey)
    await client.restrict({ grantTypes: ['urn:openid:params:grant-type:ciba'], redirectUris: [] })
    expect(await client.put({ post_logout_redirect_uris: ['https://app.example.com/bye'] })).toMatchObject({
      status: 200,
      body: { redirect_uris: [] },
    })
    await client.restrict({ jwks: null, jwksUri: 'https://app.example.com/keys' })
    expect(await client.put({ jwks: { keys: [] } })).toMatchObject({
      status: 400,
      body: { error: 'invalid_client_metadata' },
    })
  })

  it('leaves the rest to the client, which hears nothing of how it is kept', async () => {
    const client = await registered(latchkey)
    await client.restrict({ scopes: ['openid'] })
    expect(await client.put({ client_name: 'Renamed', contacts: ['a@example.com'] })).toMatchObject({
      status: 200,
      body: { client_name: 'Renamed', contacts: ['a@example.com'] },
    })
    expect(await client.item()).toMatchObject({ name: 'Renamed', scopes: ['openid'] })
    expect(await client.item()).not.toHaveProperty('administered')
  })

  it('is not lost to an update that comes at the same time', async () => {
    const client = await registered(latchkey)
    await Promise.all([client.put({ scope: 'openid profile' }), client.restrict({ scopes: ['openid'] })])
    await client.put({ scope: 'openid profile' })
    expect(await client.item()).toMatchObject({ scopes: ['openid'] })
  })
})

describe('what strangers may make', () => {
  it.each([1, 4])('has the maximum of %i, however many come at once', async (maximum) => {
    await using latchkey = await startLatchkey({
      environment: {
        LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
        LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '1000',
        LATCHKEY_CLIENT_REGISTRATIONS_MAXIMUM: String(maximum),
      },
    })
    const answers = await times(20, () =>
      fetch(`${latchkey.issuer}/reg`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(asked),
      }),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(maximum)
    expect(await latchkey.app.storage.db.clientRegistration.count()).toBe(maximum)
    expect(await latchkey.app.storage.db.client.count()).toBe(maximum)
  })

  it('is updated so many times an hour from one address', async () => {
    await using latchkey = await startLatchkey({
      environment: {
        LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
        LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '3',
      },
    })
    const client = await registered(latchkey)
    for (let count = 0; count < 3; count += 1) expect((await client.put()).status).toBe(200)
    expect(await client.put()).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } })
    expect((await send(latchkey, '/token', { form: {} })).status).toBe(400)
  })
})
