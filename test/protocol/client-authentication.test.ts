import { exportJWK, type GenerateKeyPairResult, generateKeyPair } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { discover } from '../support/relying-party.ts'

const basic = (id: string, secret: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`,
})

describe('client authentication', () => {
  let latchkey: RunningLatchkey
  let service: CreatedClient
  let keyServer: KeyServer

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' } })
    keyServer = await startKeyServer()
    service = await latchkey.createClient({ kind: 'service', name: 'Importer' })
  })
  afterAll(async () => {
    vi.useRealTimers()
    await keyServer.close()
    await latchkey.close()
  })

  const ask = (
    parameters: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = basic(service.id, service.secret),
  ) =>
    fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
    })
  const refusal = async (response: Response): Promise<unknown> => [
    response.status,
    ((await response.json()) as { error: string }).error,
  ]
  const configured = async (client: CreatedClient, authentication: openid.ClientAuth) =>
    await discover(latchkey.issuer, client.id, authentication)

  it('is possible by post', async () => {
    const posting = await latchkey.createClient({
      kind: 'service',
      name: 'Posting',
      authentication: 'client_secret_post',
    })
    expect(
      (
        await openid.clientCredentialsGrant(
          await configured(posting, openid.ClientSecretPost(posting.secret)),
        )
      ).access_token,
    ).toBeDefined()
    expect(await refusal(await ask({ client_id: posting.id, client_secret: 'a-wrong-secret' }, {}))).toEqual([
      401,
      'invalid_client',
    ])
    expect(await refusal(await ask({ client_id: posting.id }, {}))).toEqual([401, 'invalid_client'])
  })

  it.each(['ES256', 'RS256', 'EdDSA'])(
    'is possible by an assertion signed with a registered %s key',
    async (algorithm) => {
      const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
      const client = await latchkey.createClient({
        kind: 'service',
        name: 'Signing',
        jwks: { keys: [await exportJWK(publicKey)] },
      })
      const tokens = await openid.clientCredentialsGrant(
        await configured(client, openid.PrivateKeyJwt(privateKey)),
      )
      expect(tokens.access_token).toBeDefined()
      const { privateKey: stranger } = await generateKeyPair(algorithm)
      await expect(
        openid.clientCredentialsGrant(await configured(client, openid.PrivateKeyJwt(stranger))),
      ).rejects.toMatchObject({ error: 'invalid_client', status: 401 })
      expect((await ask({}, basic(client.id, 'any-secret'))).status).toBe(401)
      expect((await ask({ client_id: client.id }, {})).status).toBe(401)
    },
  )

  it('is possible with keys that are fetched from the client, and with its next keys once it has rotated', async () => {
    const [first, second] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
    const client = await latchkey.createClient({
      kind: 'service',
      name: 'Publishing',
      jwksUri: keyServer.url,
    })
    const get = async ({ privateKey }: GenerateKeyPairResult, kid: string) =>
      await openid.clientCredentialsGrant(
        await configured(client, openid.PrivateKeyJwt({ key: privateKey, kid })),
      )
    keyServer.publish([{ ...(await exportJWK(first.publicKey)), kid: 'first' }])
    expect((await get(first, 'first')).access_token).toBeDefined()
    keyServer.publish([{ ...(await exportJWK(second.publicKey)), kid: 'second' }])
    // The library asks again for a key it does not know, at most once a minute.
    vi.setSystemTime(Date.now() + 61_000)
    expect((await get(second, 'second')).access_token).toBeDefined()
    await expect(get(first, 'first')).rejects.toMatchObject({ error: 'invalid_client' })
  })

  it('fails as invalid_client, not as a server error, where the keys cannot be fetched', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    const dead = await latchkey.createClient({
      kind: 'service',
      name: 'Dead',
      jwksUri: `${keyServer.url}/not-there`,
    })
    await expect(
      openid.clientCredentialsGrant(await configured(dead, openid.PrivateKeyJwt(privateKey))),
    ).rejects.toMatchObject({ error: 'invalid_client' })
  })

  it.each(['moved', 'large'])('does not take keys from an address that is %s', async (path) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    keyServer.publish([await exportJWK(publicKey)])
    const jwksUri = new URL(`/${path}`, keyServer.url).href
    const client = await latchkey.createClient({ kind: 'service', name: 'Odd', jwksUri })
    const configuration = await configured(client, openid.PrivateKeyJwt(privateKey))
    await expect(openid.clientCredentialsGrant(configuration)).rejects.toMatchObject({
      error: 'invalid_client',
    })
  })

  it('never connects to a private address to fetch keys, unless configured', async () => {
    await using guarded = await startLatchkey()
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    keyServer.publish([await exportJWK(publicKey)])
    const before = keyServer.connections()
    const secure = keyServer.url.replace('http:', 'https:')
    for (const jwksUri of [
      keyServer.url,
      secure,
      secure.replace('localhost', '127.0.0.1'),
      secure.replace('localhost', '[::1]'),
    ]) {
      const client = await guarded.createClient({ kind: 'service', name: 'Inside', jwksUri })
      const configuration = await discover(guarded.issuer, client.id, openid.PrivateKeyJwt(privateKey))
      await expect(openid.clientCredentialsGrant(configuration)).rejects.toMatchObject({
        error: 'invalid_client',
      })
    }
    expect(keyServer.connections()).toBe(before)
  })

  it('accepts each of several secrets, until it expires or is removed', async () => {
    const client = await latchkey.createClient({ kind: 'service', name: 'Rotating' })
    const { resource } = latchkey.app.features.clients
    const act = async (name: string, input: Record<string, unknown>) => {
      const item = await resource.find(client.id)
      if (item === undefined) throw new Error('The client is gone.')
      return await resource.actions.find((each) => each.name === name)?.run(item, input, commandLineActor)
    }
    const added = await act('add-secret', { label: 'next', expiresInDays: 1 })
    const next = added?.reveals?.secret ?? ''
    const status = async (secret: string): Promise<number> => (await ask({}, basic(client.id, secret))).status
    expect([await status(client.secret), await status(next)]).toEqual([200, 200])
    vi.setSystemTime(Date.now() + 2 * 86_400_000)
    expect([await status(client.secret), await status(next)]).toEqual([200, 401])
    const first = (await resource.find(client.id))?.secrets.find(({ label }) => label === null)
    await act('remove-secret', { secretId: first?.id })
    expect(await status(client.secret)).toBe(401)
  })

  it('fails alike for a wrong secret and for a client that does not exist or is disabled', async () => {
    const disabled = await latchkey.createClient({ kind: 'service', name: 'Disabled' })
    expect((await ask({}, basic(disabled.id, disabled.secret))).status).toBe(200)
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(disabled.id)
    if (item === undefined) throw new Error('The client is gone.')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    const shape = async (id: string, secret: string): Promise<unknown> => {
      const response = await ask({}, basic(id, secret))
      const headers = [...response.headers.keys()].filter((name) => name !== 'date').toSorted()
      return {
        status: response.status,
        body: await response.json(),
        headers,
        challenge: response.headers.get('www-authenticate'),
      }
    }
    const wrong = await shape(service.id, 'a-wrong-secret')
    expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(await shape('nobody', 'a-wrong-secret')).toEqual(wrong)
    expect(await shape(disabled.id, disabled.secret)).toEqual(wrong)
    expect(await shape(service.id, '')).toMatchObject({
      body: { error: expect.stringMatching(/^invalid_(client|request)$/) },
    })
  })

  it('refuses two ways at once, and a client that may not use the grant', async () => {
    expect((await ask({ client_id: service.id, client_secret: service.secret })).status).toBe(400)
    const spa = await latchkey.createClient({
      kind: 'spa',
      name: 'App',
      redirectUris: ['https://app.example.test/cb'],
    })
    expect(await refusal(await ask({ client_id: spa.id }, {}))).toEqual([400, 'unauthorized_client'])
  })
})
