import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { CompactEncrypt, importJWK, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isTooDeep } from '../../src/provider/encryption/bounded.ts'
import { type ClientKey, clientKey, encode, seconds, signWith } from '../support/client-keys.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { callbackUrl, type RelyingParty, relyingParty } from '../support/relying-party.ts'

const runs = { numRuns: 150 }
/** Names that mean something to the server, to the language, or to nobody. */
const names = fc.oneof(
  fc.constantFrom(
    ...[
      'iss',
      'aud',
      'exp',
      'nbf',
      'iat',
      'jti',
      'sub',
      'client_id',
      'scope',
      'state',
      'nonce',
      'prompt',
      'max_age',
    ],
    ...[
      'claims',
      'authorization_details',
      'resource',
      'response_type',
      'response_mode',
      'redirect_uri',
      'request',
    ],
    ...[
      'request_uri',
      'code_challenge',
      'code_challenge_method',
      'acr_values',
      'id_token_hint',
      'dpop_jkt',
      'registration',
    ],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'login_hint', 'ui_locales', 'display'],
  ),
  fc.string(),
)
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    -1,
    0,
    1e21,
    1.5,
    '',
    ' ',
    '\u0000',
    'none',
    'code',
    'openid',
    { toString: 1 },
    [[]],
    {},
    null,
    [null],
  ),
)
const members = fc.dictionary(names, values, { maxKeys: 6 })

describe('request objects of any kind', () => {
  let latchkey: RunningLatchkey
  let key: ClientKey
  let party: RelyingParty
  let encryptionKey: CryptoKey

  beforeAll(async () => {
    latchkey = await startLatchkey()
    key = await clientKey('ES256')
    party = await relyingParty(latchkey, {
      authentication: 'client_secret_basic',
      jwks: { keys: [key.publicJwk] },
    })
    const { keys } = (await (await fetch(`${latchkey.issuer}/jwks`)).json()) as JSONWebKeySet
    const jwk = keys.find(({ use, kty }) => use === 'enc' && kty === 'EC')
    encryptionKey = (await importJWK(jwk ?? {}, 'ECDH-ES')) as CryptoKey
  })
  afterAll(() => latchkey.close())

  const good = () => ({
    iss: party.client.id,
    aud: latchkey.issuer,
    client_id: party.client.id,
    exp: seconds() + 60,
    jti: randomUUID(),
    response_type: 'code',
    redirect_uri: callbackUrl,
    scope: 'openid',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  })
  /** Both doors answer as a server does that works: a refusal or what was asked for, and never 500. */
  const bothDoors = async (request: string): Promise<void> => {
    const pushed = await fetch(`${latchkey.issuer}/request`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${party.client.id}:${party.client.secret}`)}` },
      body: new URLSearchParams({ request }),
    })
    const answer = (await pushed.json()) as { error?: string }
    if (pushed.status !== 201) expect([pushed.status, answer.error]).toEqual([400, expect.any(String)])
    expect(answer.error).not.toBe('server_error')
    const query = new URLSearchParams({ client_id: party.client.id, request, redirect_uri: callbackUrl })
    if (query.toString().length > 6_000) return
    const page = await fetch(`${latchkey.issuer}/auth?${query}`, { redirect: 'manual' })
    await page.body?.cancel()
    expect(page.status).toBeLessThan(500)
    expect(page.headers.get('location') ?? '').not.toContain('error=server_error')
  }

  it('signed, with any claims', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(members, fc.boolean(), async (claims, valid) => {
        await bothDoors(await signWith(key, { ...(valid && good()), ...claims }))
      }),
      runs,
    )
  })

  it('with any header and any signature', { timeout: 120_000 }, async () => {
    const header = fc.dictionary(
      fc.oneof(
        fc.constantFrom('alg', 'enc', 'kid', 'typ', 'cty', 'crit', 'zip', 'epk', 'jwk', 'jku', 'p2c', 'b64'),
        names,
      ),
      fc.oneof(
        values,
        fc.constantFrom('ES256', 'none', 'HS256', 'ECDH-ES', 'RSA-OAEP-256', 'dir', 'A256GCM', 'DEF'),
      ),
    )
    const bytes = fc.uint8Array({ maxLength: 64 }).map((raw) => Buffer.from(raw).toString('base64url'))
    await fc.assert(
      fc.asyncProperty(header, members, fc.array(bytes, { maxLength: 4 }), async (head, claims, rest) => {
        await bothDoors([encode(head), encode({ ...good(), ...claims }), ...rest].join('.'))
        await bothDoors([encode(head), ...rest].join('.'))
      }),
      runs,
    )
  })

  it('that are no JWT at all', { timeout: 120_000 }, async () => {
    const parts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json().map(encode)), {
      maxLength: 7,
    })
    await fc.assert(
      fc.asyncProperty(parts, async (all) => bothDoors(all.join('.') || '.')),
      runs,
    )
  })

  it('encrypted, with anything inside', { timeout: 120_000 }, async () => {
    const inside = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.tuple(members, members).map(([head, claims]) => `${encode(head)}.${encode(claims)}.AAAA`),
    )
    await fc.assert(
      fc.asyncProperty(inside, async (text) => {
        const request = await new CompactEncrypt(new TextEncoder().encode(text))
          .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
          .encrypt(encryptionKey)
        await bothDoors(request)
      }),
      runs,
    )
  })

  it('and any claims parameter', { timeout: 120_000 }, async () => {
    const asked = fc.record(
      { id_token: fc.oneof(values, members), userinfo: fc.oneof(values, members) },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(asked, fc.jsonValue()), async (claims) => {
        const { iss: _iss, aud: _aud, exp: _exp, jti: _jti, ...plain } = good()
        const query = new URLSearchParams({ ...plain, claims: JSON.stringify(claims) })
        const page = await fetch(`${latchkey.issuer}/auth?${query}`, { redirect: 'manual' })
        await page.body?.cancel()
        expect(page.status).toBeLessThan(500)
        expect(page.headers.get('location') ?? '').not.toContain('error=server_error')
        await bothDoors(await signWith(key, { ...good(), claims }))
      }),
      runs,
    )
  })

  it('are as deep as they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const depth = (of: unknown): number =>
          typeof of === 'object' && of !== null ? 1 + Math.max(0, ...Object.values(of).map(depth)) : 0
        const text = JSON.stringify(value)
        expect(isTooDeep(text, depth(value))).toBe(false)
        if (depth(value) > 0) expect(isTooDeep(text, depth(value) - 1)).toBe(true)
      }),
    )
  })
})
