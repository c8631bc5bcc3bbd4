import { createHmac, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { exportJWK, exportSPKI, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json } from '../support/any-input.ts'
import { type Answer, callback, type Fields, send } from '../support/application.ts'
import { encode } from '../support/client-keys.ts'
import { type OutsideIssuer, startIssuer, trust } from '../support/issuers.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const tokenType = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`
const grant = (name: string): string => `urn:ietf:params:oauth:grant-type:${name}`

type Claims = Readonly<Record<string, unknown>>

/** A place that takes a JWT: one that is taken there, and what carries it. */
interface Place {
  readonly claims: () => Claims
  readonly header: () => Claims | Promise<Claims>
  readonly keys: () => GenerateKeyPairResult
  carry(jwt: string): Promise<Answer>
  /** Statuses of one that is taken. */
  readonly taken: number
  /** It counts once. */
  readonly once?: true
  /** What time and audience it carries. */
  readonly audience?: 'aud' | 'htu'
}

describe('a JWT', () => {
  let latchkey: RunningLatchkey
  let outside: OutsideIssuer
  let keys: GenerateKeyPairResult
  let signer: CreatedClient
  let asker: CreatedClient
  let holder: CreatedClient

  beforeAll(async () => {
    latchkey = await startLatchkey({
      environment: {
        LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
        LATCHKEY_HOST_FAILURES_PER_MINUTE: '100000',
      },
    })
    outside = await startIssuer()
    await trust(latchkey, outside.issuer)
    keys = await generateKeyPair('ES256', { extractable: true })
    const jwks = { keys: [await exportJWK(keys.publicKey)] }
    signer = await latchkey.createClient({
      kind: 'web',
      name: 'Signer',
      redirectUris: [callback],
      authentication: 'private_key_jwt',
      grantTypes: ['authorization_code', 'client_credentials'],
      jwks,
    })
    asker = await latchkey.createClient({
      kind: 'web',
      name: 'Asker',
      redirectUris: [callback],
      jwks,
    })
    holder = await latchkey.createClient({
      kind: 'service',
      name: 'Holder',
      grantTypes: ['client_credentials', grant('jwt-bearer'), grant('token-exchange')],
      federatedCredentials: [{ issuer: outside.issuer, subject: 'job' }],
      tokenExchange: {
        modes: ['delegate'],
        subjectIssuers: [outside.issuer],
        audiences: ['https://api.test'],
      },
    })
  })
  afterAll(async () => {
    await outside[Symbol.asyncDispose]()
    await latchkey.close()
  })

  const now = (): number => Math.floor(Date.now() / 1000)
  const times = (): Claims => ({ iat: now(), exp: now() + 60, jti: randomUUID() })
  const post = (path: string, form: Fields, headers: Fields = {}): Promise<Answer> =>
    send(latchkey, path, { form, headers })
  const basic = ({ id, secret }: CreatedClient): Fields => ({
    authorization: `Basic ${btoa(`${id}:${secret}`)}`,
  })
  const asClient = (form: Fields) => (jwt: string) =>
    post('/token', {
      client_id: signer.id,
      client_assertion_type: assertionType,
      client_assertion: jwt,
      ...form,
    })
  const fromOutside = {
    header: () => ({ alg: 'ES256', kid: 'first' }),
    keys: () => ({ privateKey: outside.privateKey() }) as GenerateKeyPairResult,
    claims: (): Claims => ({ iss: outside.issuer, sub: 'job', aud: latchkey.issuer, ...times() }),
  }
  const ofSigner = {
    header: () => ({ alg: 'ES256' }),
    keys: () => keys,
    claims: (): Claims => ({ iss: signer.id, sub: signer.id, aud: latchkey.issuer, ...times() }),
    audience: 'aud',
    once: true,
  } as const

  const places: Readonly<Record<string, Place>> = {
    'client_assertion at the token endpoint': {
      ...ofSigner,
      carry: asClient({ grant_type: 'client_credentials' }),
      taken: 200,
    },
    'client_assertion at introspection': {
      ...ofSigner,
      carry: (jwt) =>
        post('/token/introspection', {
          ...{ client_id: signer.id, client_assertion_type: assertionType, client_assertion: jwt },
          token: 'nothing',
        }),
      taken: 200,
    },
    'client_assertion where requests are pushed': {
      ...ofSigner,
      carry: (jwt) =>
        post('/request', {
          ...{ client_id: signer.id, client_assertion_type: assertionType, client_assertion: jwt },
          ...{ response_type: 'code', redirect_uri: callback, scope: 'openid' },
          ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
        }),
      taken: 201,
    },
    'request where requests are pushed': {
      header: () => ({ alg: 'ES256', typ: 'oauth-authz-req+jwt' }),
      keys: () => keys,
      claims: () => ({
        ...{ iss: asker.id, aud: latchkey.issuer, client_id: asker.id, ...times() },
        ...{ response_type: 'code', redirect_uri: callback, scope: 'openid' },
        ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
      }),
      carry: (request) => post('/request', { client_id: asker.id, request }, basic(asker)),
      taken: 201,
      audience: 'aud',
    },
    'DPoP proof': {
      header: async () => ({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) }),
      keys: () => keys,
      claims: () => ({ htm: 'POST', htu: `${latchkey.issuer}/token`, iat: now(), jti: randomUUID() }),
      carry: (dpop) => post('/token', { grant_type: 'client_credentials' }, { ...basic(holder), dpop }),
      taken: 200,
      audience: 'htu',
      once: true,
    },
    'assertion of the JWT bearer grant': {
      ...fromOutside,
      carry: (assertion) => post('/token', { grant_type: grant('jwt-bearer'), assertion }, basic(holder)),
      taken: 200,
      audience: 'aud',
    },
    'subject_token of an exchange': {
      ...fromOutside,
      carry: (subject_token) =>
        post(
          '/token',
          { grant_type: grant('token-exchange'), subject_token, subject_token_type: tokenType('jwt') },
          basic(holder),
        ),
      // Nobody is mapped to the subject, so that even a valid one is refused; it must never be more.
      taken: 400,
    },
    'id_token_hint at the authorization endpoint': {
      ...ofSigner,
      once: undefined as never,
      audience: undefined as never,
      claims: () => ({ iss: latchkey.issuer, sub: 'somebody', aud: asker.id, ...times() }),
      carry: (id_token_hint) => {
        const query = { client_id: asker.id, response_type: 'code', redirect_uri: callback, scope: 'openid' }
        const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }
        return send(
          latchkey,
          `/auth?${new URLSearchParams({ ...query, ...pkce, prompt: 'none', id_token_hint })}`,
        )
      },
      // It is signed by the client and not by us.
      taken: 303,
    },
  }
  void places
  void createHmac
  void exportSPKI
  void fc
  void json
  void encode

  const signed = async ({ claims, header, keys: pair }: Place, changes: Claims = {}, head: Claims = {}) =>
    new SignJWT({ ...claims(), ...changes })
      .setProtectedHeader({ ...(await header()), ...head } as { alg: string })
      .sign(pair().privateKey)

  it.each(Object.keys(places))('that is right is taken as %s', async (name) => {
    const place = places[name] as Place
    const a = await place.carry(await signed(place))
    expect([a.status, a.text]).toEqual([place.taken, expect.anything()])
  })
})
