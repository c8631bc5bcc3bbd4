import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { discover } from '../support/relying-party.ts'

const api = (algorithm: string): string => `https://${algorithm.toLowerCase()}.example.test`
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
const scopes = [
  { name: 'orders:read', description: 'Read orders' },
  { name: 'orders:write' },
  { name: 'orders:delete' },
]
const basic = (id: string, secret: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`,
})

describe('client credentials', () => {
  let latchkey: RunningLatchkey
  let service: CreatedClient
  let server: oauth.AuthorizationServer

  beforeAll(async () => {
    latchkey = await startLatchkey()
    for (const tokenAlgorithm of algorithms)
      await latchkey.createApi({
        indicator: api(tokenAlgorithm),
        name: 'Orders',
        scopes,
        tokenAlgorithm,
        accessTokenTtlSeconds: 300,
      })
    await latchkey.createApi({ indicator: api('opaque'), name: 'Stock', scopes, tokenFormat: 'opaque' })
    await latchkey.createApi({
      indicator: api('foreign'),
      name: 'Payroll',
      scopes: [{ name: 'salaries:read' }],
    })
    service = await latchkey.createClient({
      kind: 'service',
      name: 'Importer',
      scopes: ['orders:read', 'orders:write'],
    })
    const issuer = new URL(latchkey.issuer)
    server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { [oauth.allowInsecureRequests]: true }),
    )
  })
  afterAll(() => latchkey.close())

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
  const configured = async (client: CreatedClient, authentication?: openid.ClientAuth) =>
    await discover(latchkey.issuer, client.id, authentication ?? openid.ClientSecretBasic(client.secret))

  describe('tokens', () => {
    it.each(algorithms)(
      'are JWTs that the API checks by itself, signed with its %s (RFC 9068)',
      async (algorithm) => {
        const tokens = await openid.clientCredentialsGrant(await configured(service), {
          resource: api(algorithm),
          scope: 'orders:read orders:write',
        })
        const now = Math.floor(Date.now() / 1000)
        const request = new Request(api(algorithm), {
          headers: { authorization: `Bearer ${tokens.access_token}` },
        })
        const claims = await oauth.validateJwtAccessToken(server, request, api(algorithm), {
          [oauth.allowInsecureRequests]: true,
          signingAlgorithms: [algorithm],
        })
        expect(claims).toMatchObject({
          iss: latchkey.issuer,
          aud: api(algorithm),
          sub: service.id,
          client_id: service.id,
          scope: 'orders:read orders:write',
        })
        expect(claims.exp - claims.iat).toBe(300)
        expect(Math.abs(claims.iat - now)).toBeLessThan(10)
        expect(claims.jti).toMatch(/^[\w-]{20,}$/)
        expect(
          JSON.parse(Buffer.from(tokens.access_token.split('.')[0] ?? '', 'base64url').toString()),
        ).toMatchObject({ typ: 'at+jwt', alg: algorithm })
        expect(tokens).toMatchObject({ expires_in: 300, scope: 'orders:read orders:write' })
        expect(tokens.refresh_token).toBeUndefined()
        expect(tokens.id_token).toBeUndefined()
        await expect(
          oauth.validateJwtAccessToken(server, request, api('foreign'), {
            [oauth.allowInsecureRequests]: true,
          }),
        ).rejects.toThrow(/aud/)
      },
    )

    it('are opaque where the API wants to ask, and where no API is named', async () => {
      for (const parameters of [{ resource: api('opaque'), scope: 'orders:read' }, {}] as Record<
        string,
        string
      >[]) {
        const tokens = await openid.clientCredentialsGrant(await configured(service), parameters)
        expect(tokens.access_token).toMatch(/^[\w-]{43}$/)
        expect(await openid.tokenIntrospection(await configured(service), tokens.access_token)).toMatchObject(
          { active: true, client_id: service.id },
        )
      }
    })

    it('are not stored by anybody on the way', async () => {
      const response = await ask({ resource: api('ES256'), scope: 'orders:read' })
      expect(response.headers.get('cache-control')).toBe('no-store')
    })
  })

  describe('scopes', () => {
    const granted = async (parameters: Readonly<Record<string, string>>): Promise<unknown> =>
      ((await (await ask({ resource: api('ES256'), ...parameters })).json()) as { scope?: string }).scope

    it('are given as asked, where client and API both have them', async () => {
      expect(await granted({ scope: 'orders:read' })).toBe('orders:read')
    })

    it('that the API has and the client has not are not given', async () => {
      expect(await granted({ scope: 'orders:read orders:delete' })).toBe('orders:read')
    })

    it('that nobody knows are refused or left out, never given', async () => {
      const body = (await (
        await ask({ resource: api('ES256'), scope: 'orders:read admin openid' })
      ).json()) as { scope?: string; error?: string }
      expect(body.error ?? body.scope).toMatch(/^(invalid_scope|orders:read)$/)
    })

    it('follow a change of the client at once', async () => {
      const changing = await latchkey.createClient({
        kind: 'service',
        name: 'Changing',
        scopes: ['orders:read'],
      })
      const { resource } = latchkey.app.features.clients
      const wanted = { resource: api('ES256'), scope: 'orders:read orders:write' }
      const scopeOf = async () =>
        (await openid.clientCredentialsGrant(await configured(changing), wanted)).scope
      expect(await scopeOf()).toBe('orders:read')
      const item = await resource.find(changing.id)
      if (item === undefined) throw new Error('The client is gone.')
      await resource.update(item, { scopes: ['orders:write'] }, commandLineActor)
      expect(await scopeOf()).toBe('orders:write')
    })
  })

  describe('APIs', () => {
    it.each([
      ['is not registered', 'https://nobody.example.test'],
      ['differs by a slash', `${api('ES256')}/`],
      ['differs by case', api('ES256').replace('https', 'HTTPS')],
      ['has no scope that the client has', api('foreign')],
      ['is no absolute URI', 'orders'],
    ])('one that %s gets invalid_target', async (_what, resource) => {
      expect(await refusal(await ask({ resource, scope: 'orders:read' }))).toEqual([400, 'invalid_target'])
    })

    it('a disabled one gets invalid_target at once, and its tokens again when it is enabled', async () => {
      const indicator = 'https://paused.example.test'
      await latchkey.createApi({ indicator, name: 'Paused', scopes })
      const { resource } = latchkey.app.features.resources
      const act = async (name: string): Promise<void> => {
        const item = await resource.find(indicator)
        if (item === undefined) throw new Error('The API is gone.')
        await resource.actions.find((each) => each.name === name)?.run(item, {}, commandLineActor)
      }
      const status = async () => (await ask({ resource: indicator, scope: 'orders:read' })).status
      expect(await status()).toBe(200)
      await act('disable')
      expect(await refusal(await ask({ resource: indicator, scope: 'orders:read' }))).toEqual([
        400,
        'invalid_target',
      ])
      await act('enable')
      expect(await status()).toBe(200)
    })
  })
})
