import { allowInsecureRequests, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const documents = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/jwks',
] as const
const hostile = {
  'x-forwarded-host': 'evil.test',
  'x-forwarded-proto': 'https',
  forwarded: 'host=evil.test;proto=https',
}

describe('discovery', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
  })
  afterAll(() => latchkey.close())

  const read = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
    await fetch(latchkey.issuer + path, { headers })
  const metadata = async (): Promise<Record<string, unknown>> =>
    (await (await read(documents[0])).json()) as Record<string, unknown>

  it.each(['oidc', 'oauth2'] as const)(
    'is accepted by a relying party that follows %s discovery',
    async (algorithm) => {
      const issuer = new URL(latchkey.issuer)
      const response = await discoveryRequest(issuer, { algorithm, [allowInsecureRequests]: true })
      const server = await processDiscoveryResponse(issuer, response)
      expect(server.issuer).toBe(latchkey.issuer)
      expect(server.token_endpoint).toBe(`${latchkey.issuer}/token`)
    },
  )

  it('says the same in both documents', async () => {
    expect(await (await read(documents[1])).json()).toEqual(await metadata())
  })

  it('offers what is supported and nothing that is not', async () => {
    expect(await metadata()).toMatchObject({
      response_types_supported: ['code', 'none'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: expect.arrayContaining([
        'authorization_code',
        'refresh_token',
        'client_credentials',
      ]),
      token_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA']),
      acr_values_supported: [
        'urn:latchkey:acr:single-factor',
        'urn:latchkey:acr:multi-factor',
        'urn:latchkey:acr:phishing-resistant',
      ],
      scopes_supported: expect.arrayContaining(['openid', 'profile', 'email', 'offline_access']),
      ui_locales_supported: expect.arrayContaining(['en', 'pt-BR', 'ar']),
      prompt_values_supported: ['none', 'login', 'consent'],
      claims_supported: expect.arrayContaining(['sub', 'email', 'name', 'acr', 'amr', 'auth_time', 'sid']),
    })
    const { grant_types_supported: grants, ...rest } = await metadata()
    expect(grants).not.toContain('implicit')
    expect(JSON.stringify(rest)).not.toMatch(
      /"HS\d|"none",?"?alg|client_secret_jwt|RSA1_5|"dir"|"A\d+(GCM)?KW"/,
    )
    expect(rest.token_endpoint_auth_signing_alg_values_supported).not.toContain('none')
    expect(rest).not.toHaveProperty('backchannel_user_code_parameter_supported')
  })

  it('names every address by the issuer alone, whatever the forwarded headers claim', async () => {
    const addresses = (value: unknown): readonly string[] =>
      JSON.stringify(value).match(/https?:\/\/[^"]+/g) ?? []
    const own = addresses(await metadata())
    expect(own.length).toBeGreaterThan(8)
    expect(own.filter((address) => !address.startsWith(latchkey.issuer))).toEqual([])
    // Asked first by an attacker, too: the answer is kept for everybody.
    await using fresh = await startLatchkey()
    const attacked = await (await fetch(fresh.issuer + documents[0], { headers: hostile })).json()
    expect(addresses(attacked).filter((address) => !address.startsWith(fresh.issuer))).toEqual([])
  })

  it('publishes one public key for each algorithm and no private part of any', async () => {
    const { keys } = (await (await read('/jwks')).json()) as { keys: Record<string, unknown>[] }
    expect(keys.map(({ kty, use, alg }) => [kty, use, alg].join(' ')).toSorted()).toEqual([
      'EC enc ',
      'EC sig ES256',
      'OKP sig EdDSA',
      'RSA enc RSA-OAEP-256',
      'RSA sig PS256',
      'RSA sig RS256',
    ])
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(6)
    const allowed = new Set(['kty', 'use', 'kid', 'alg', 'crv', 'x', 'y', 'n', 'e'])
    expect(keys.flatMap((key) => Object.keys(key)).filter((member) => !allowed.has(member))).toEqual([])
  })

  it.each(documents)('lets any origin read %s and keep it for a while', async (path) => {
    // The first answer is made by the library, the second comes from memory.
    for (const response of [await read(path, { origin: 'https://app.example.test' }), await read(path)]) {
      expect(response.status).toBe(200)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
      expect(response.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
      expect(response.headers.get('content-type')).toMatch(/^application\/(jwk-set\+)?json/)
      expect(response.headers.get('set-cookie')).toBeNull()
    }
  })

  it.each(documents)('answers HEAD and a pre-flight of %s', async (path) => {
    const head = await fetch(latchkey.issuer + path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const preflight = await fetch(latchkey.issuer + path, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.test', 'access-control-request-method': 'GET' },
    })
    expect(preflight.status).toBeLessThan(300)
    expect(preflight.headers.get('access-control-allow-origin')).toMatch(
      /^(\*|https:\/\/app\.example\.test)$/,
    )
  })
})
