/**
 * Every place of the server that takes a JWT from outside, each with one that is right and what it comes to.
 *
 *     await using house = await openJwtPlaces()
 *     await house.places['DPoP proof'].carry(jwt)
 */
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Answer, callback, type Fields, register, send } from './application.ts'
import { startIssuer, trust } from './issuers.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { newVisitor } from './visitor.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
const grant = (name: string): string => `urn:ietf:params:oauth:grant-type:${name}`
const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const api = 'https://orders.example.test'

export type Claims = Readonly<Record<string, unknown>>

export interface Place {
  /** Of one that is right. */
  claims(): Claims
  header(): Claims
  key(): CryptoKey
  /** Presents one; `taken`, or how it was refused. */
  carry(jwt: string): Promise<string>
  /** It counts once. */
  readonly once?: boolean
  /** Only the server's own keys make one that is right. */
  readonly ownOnly?: boolean
  /** The claim that says for whom it is. */
  readonly audience?: 'aud' | 'htu'
}

export type JwtPlaces = Awaited<ReturnType<typeof openJwtPlaces>>

/** With times as they should be. */
const fresh = (): Claims => {
  const now = Math.floor(Date.now() / 1000)
  return { iat: now, exp: now + 60, jti: randomUUID() }
}

const outcome = ({ status, body, location }: Answer): string => {
  const error = location === undefined ? null : URL.parse(location)?.searchParams.get('error')
  if (error === 'login_required') return 'taken'
  if (error) return `led back: ${error}`
  return status < 400 ? 'taken' : `${status} ${String(body.error ?? '')}`.trim()
}

async function parties(latchkey: RunningLatchkey, jwk: object, outside: { readonly issuer: string }) {
  const userId = await latchkey.createUser(ada)
  await trust(latchkey, outside.issuer, { people: [{ subject: 'ada-outside', userId }] })
  await latchkey.createApi({ indicator: api, name: 'Orders', scopes: [{ name: 'orders:read' }] })
  const jwks = { keys: [jwk] }
  const web = { kind: 'web', redirectUris: [callback], jwks }
  return {
    signer: await latchkey.createClient({
      ...web,
      name: 'Signer',
      authentication: 'private_key_jwt',
      grantTypes: ['authorization_code', 'client_credentials'],
    }),
    asker: await latchkey.createClient({
      ...web,
      name: 'Asker',
      authentication: 'client_secret_basic',
    }),
    holder: await latchkey.createClient({
      kind: 'service',
      name: 'Holder',
      scopes: ['orders:read'],
      grantTypes: ['client_credentials', grant('jwt-bearer'), grant('token-exchange')],
      federatedCredentials: [{ issuer: outside.issuer, subject: 'job' }],
      tokenExchange: { modes: ['delegate'], subjectIssuers: [outside.issuer], audiences: [api] },
    }),
  }
}

export async function openJwtPlaces() {
  const latchkey = await startLatchkey({
    environment: {
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '100000',
    },
  })
  const outside = await startIssuer()
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  const { signer, asker, holder } = await parties(latchkey, jwk, outside)
  const { issuer } = latchkey

  const post = async (path: string, form: Fields, headers: Fields = {}): Promise<string> =>
    outcome(await send(latchkey, path, { form, headers }))
  const basic = ({ id, secret }: CreatedClient): Fields => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  })
  const proven = (client_assertion: string): Fields => ({
    client_id: signer.id,
    client_assertion_type: assertionType,
    client_assertion,
  })
  const asked = {
    ...{ response_type: 'code', redirect_uri: callback, scope: 'openid' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
  }

  const ofSigner = {
    header: () => ({ alg: 'ES256' }),
    key: () => privateKey,
    claims: () => ({ iss: signer.id, sub: signer.id, aud: issuer, ...fresh() }),
    audience: 'aud',
    once: true,
  } as const
  const fromOutside = (sub: string) =>
    ({
      header: () => ({ alg: 'ES256', kid: 'first' }),
      key: outside.privateKey,
      claims: () => ({ iss: outside.issuer, sub, aud: issuer, ...fresh() }),
      audience: 'aud',
    }) as const
  const hint = {
    header: () => ({ alg: 'ES256' }),
    key: () => privateKey,
    claims: () => ({ iss: issuer, sub: 'somebody', aud: asker.id, ...fresh() }),
    ownOnly: true,
  } as const

  const places: Readonly<Record<string, Place>> = {
    'client_assertion at the token endpoint': {
      ...ofSigner,
      carry: (jwt) => post('/token', { ...proven(jwt), grant_type: 'client_credentials' }),
    },
    'client_assertion at introspection': {
      ...ofSigner,
      carry: (jwt) => post('/token/introspection', { ...proven(jwt), token: 'nothing' }),
    },
    'client_assertion at revocation': {
      ...ofSigner,
      carry: (jwt) => post('/token/revocation', { ...proven(jwt), token: 'nothing' }),
    },
    'client_assertion where requests are pushed': {
      ...ofSigner,
      carry: (jwt) => post('/request', { ...proven(jwt), ...asked }),
    },
    'request where requests are pushed': {
      ...ofSigner,
      once: false,
      header: () => ({ alg: 'ES256', typ: 'oauth-authz-req+jwt' }),
      claims: () => ({ iss: asker.id, client_id: asker.id, aud: issuer, ...asked, ...fresh() }),
      carry: (request) => post('/request', { request }, basic(asker)),
    },
    'request at the authorization endpoint': {
      ...ofSigner,
      once: false,
      header: () => ({ alg: 'ES256', typ: 'oauth-authz-req+jwt' }),
      claims: () => ({
        iss: asker.id,
        client_id: asker.id,
        aud: issuer,
        ...asked,
        prompt: 'none',
        ...fresh(),
      }),
      carry: async (request) =>
        outcome(
          await send(latchkey, `/auth?${new URLSearchParams({ client_id: asker.id, ...asked, request })}`),
        ),
    },
    'DPoP proof': {
      header: () => ({ alg: 'ES256', typ: 'dpop+jwt', jwk }),
      key: () => privateKey,
      claims: () => ({ htm: 'POST', htu: `${issuer}/token`, ...fresh() }),
      carry: (dpop) => post('/token', { grant_type: 'client_credentials' }, { ...basic(holder), dpop }),
      audience: 'htu',
      once: true,
    },
    'assertion of the JWT bearer grant': {
      ...fromOutside('job'),
      carry: (assertion) => post('/token', { grant_type: grant('jwt-bearer'), assertion }, basic(holder)),
    },
    'subject_token of an exchange': {
      ...fromOutside('ada-outside'),
      carry: (subject_token) => {
        const subject = { subject_token, subject_token_type: jwtType, resource: api, scope: 'orders:read' }
        return post('/token', { grant_type: grant('token-exchange'), ...subject }, basic(holder))
      },
    },
    'id_token_hint at the authorization endpoint': {
      ...hint,
      carry: async (id_token_hint) => {
        const query = { client_id: asker.id, ...asked, prompt: 'none', id_token_hint }
        return outcome(await send(latchkey, `/auth?${new URLSearchParams(query)}`))
      },
    },
    'id_token_hint at the end of a session': {
      ...hint,
      carry: async (id_token_hint) =>
        outcome(await send(latchkey, `/session/end?${new URLSearchParams({ id_token_hint })}`)),
    },
  }

  return {
    latchkey,
    places,
    /** Tokens of the server's own, each right where it belongs. */
    async ownTokens(): Promise<Readonly<Record<string, string>>> {
      const shop = await register(latchkey, { scopes: ['openid', 'orders:read'] })
      const code = await shop.signIn(newVisitor(), ada, { scope: 'openid orders:read', resource: api })
      const { body } = await shop.redeem(code, { resource: api })
      return { 'access token': String(body.access_token), 'ID token': String(body.id_token) }
    },
    /** One that is right but for what is changed. */
    async sign({ claims, header, key }: Place, changes: Claims = {}, head: Claims = {}): Promise<string> {
      return await new SignJWT({ ...claims(), ...changes })
        .setProtectedHeader({ ...header(), ...head } as { alg: string })
        .sign(key())
    },
    publicKey,
    async [Symbol.asyncDispose]() {
      await outside[Symbol.asyncDispose]()
      await latchkey.close()
    },
  }
}
