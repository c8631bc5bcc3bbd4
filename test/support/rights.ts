/**
 * Everything that somebody can hold of the server at once: what waits to be redeemed at each grant, and what was issued.
 *
 *     await using world = await openRights()
 *     const held = await holdAll(world)
 *     await held.useAll()
 */
import { randomUUID } from 'node:crypto'
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose'
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { type Answer, type Credentials, type Fields, send, userinfo, walk } from './application.ts'
import { type Asked, approve, deviceGrant } from './devices.ts'
import { type OutsideIssuer, startIssuer, trust } from './issuers.ts'
import { type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { newVisitor, type Page, type Visitor } from './visitor.ts'

const callback = 'https://app.example.test/callback'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const cibaGrant = 'urn:openid:params:grant-type:ciba'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtBearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const codeGrants = ['authorization_code', 'refresh_token']
const ofPeople = ['openid', 'profile', 'offline_access', 'orders:read']

export interface RightsWorld extends AsyncDisposable {
  readonly latchkey: RunningLatchkey
  readonly cluster: OutsideIssuer
  readonly keys: GenerateKeyPairResult
}

export async function openRights(): Promise<RightsWorld> {
  const latchkey = await startLatchkey({
    environment: {
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
      // Everything of a test comes from one address within a minute.
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '10000',
    },
  })
  const cluster = await startIssuer()
  await trust(latchkey, cluster.issuer)
  return {
    latchkey,
    cluster,
    keys: await generateKeyPair('ES256', { extractable: true }),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await latchkey.close()
    },
  }
}

/** One thing in somebody's hands. */
export interface Holding {
  readonly clientId: string
  /** The grant that gave it, or is to. */
  readonly grantType: string
  /** Whose token is exchanged. */
  readonly subjectClientId?: string
  /** What it is still good for, in a few words; it is used up by that. */
  use(): Promise<string>
}

const words = ({ status, body }: Answer): string =>
  status < 300 ? 'given' : `${status} ${String(body.error ?? '')}`.trim()

/** What became of a browser that was sent to the server. */
function led({ status, location, text }: Page): string {
  const brought = location === undefined ? undefined : new URL(location).searchParams
  if (brought?.has('code')) return 'given'
  if (brought?.has('error')) return `led back: ${brought.get('error')}`
  if (status === 200) return text.includes('/password"') ? 'asked to sign in' : 'asked'
  return `page ${status}`
}

type Client = Awaited<ReturnType<typeof client>>

/** A client of its own for each thing, that signs its assertions and so can have any profile. */
async function client(world: RightsWorld, input: Readonly<Record<string, unknown>>) {
  const { latchkey, keys } = world
  const signs = input.kind !== 'native' && input.authentication !== 'federated_jwt'
  const { id } = await latchkey.createClient({
    kind: 'web',
    name: 'Application',
    ...(input.kind !== 'service' && { firstParty: true, redirectUris: [callback] }),
    ...(signs && {
      authentication: 'private_key_jwt',
      jwks: { keys: [await exportJWK(keys.publicKey)] },
      idTokenAlgorithm: 'ES256',
    }),
    ...input,
  })
  const assertion = (): Promise<string> =>
    new SignJWT({ iss: id, sub: id, aud: latchkey.issuer, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(keys.privateKey)
  const proof = async (): Promise<Fields> =>
    signs
      ? { client_id: id, client_assertion_type: assertionType, client_assertion: await assertion() }
      : { client_id: id }
  const post = async (path: string, form: Fields): Promise<Answer> =>
    await send(latchkey, path, { form: { ...(await proof()), ...form } })
  const verifier = generateRandomCodeVerifier()
  const request = async (more: Fields = {}): Promise<Fields> => ({
    client_id: id,
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid profile',
    state: 'a state',
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  const visit = async (visitor: Visitor, query: Fields): Promise<Page> =>
    await visitor.follow(await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(query)}`))
  const token = (form: Fields): Promise<Answer> => post('/token', form)

  return {
    id,
    post,
    token,
    request,
    visit,
    async code(visitor: Visitor, person: Credentials, more: Fields = {}): Promise<Fields> {
      const page = await walk(visitor, await visit(visitor, await request(more)), person)
      const code = URL.parse(page.location ?? '')?.searchParams.get('code')
      if (typeof code !== 'string')
        throw new Error(`No code: ${page.status} ${page.location} ${page.text.slice(0, 300)}`)
      return { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callback }
    },
  }
}

async function succeeded(asked: Promise<Answer>): Promise<Answer['body']> {
  const { status, body, text } = await asked
  if (status >= 300) throw new Error(`${status} ${text}`)
  return body
}

export interface Everything {
  readonly userId: UserId
  readonly person: Credentials
  readonly visitor: Visitor
  /** Indicators of the two APIs. */
  readonly apis: readonly string[]
  readonly holdings: Readonly<Record<Thing, Holding>>
  /** What each is still good for; all are used up by that. */
  useAll(): Promise<Readonly<Record<Thing, string>>>
}

/** Who holds, and what there is to be had. */
interface Setting {
  readonly world: RightsWorld
  readonly visitor: Visitor
  readonly person: Credentials
  readonly opaqueApi: string
  readonly jwtApi: string
  readonly reader: Client
  /** What every client is besides. */
  readonly input: Readonly<Record<string, unknown>>
}

type Holder = (setting: Setting) => Promise<Holding>

/** `client` is the client's input; `open` gets hold of the thing, and tells how it is used. */
const holding =
  (
    grantType: string,
    input: Readonly<Record<string, unknown>>,
    open: (client: Client, setting: Setting) => Promise<() => Promise<string>>,
  ): Holder =>
  async (setting) => {
    const own = await client(setting.world, { scopes: ofPeople, ...input, ...setting.input })
    return { clientId: own.id, grantType, use: await open(own, setting) }
  }

const web = { grantTypes: codeGrants }
const offline = { scope: 'openid profile offline_access', prompt: 'consent' }

const refreshing =
  (input: Readonly<Record<string, unknown>>): Holder =>
  (setting) =>
    holding('refresh_token', { ...web, ...input }, async (own, { visitor, person }) => {
      const { refresh_token } = await succeeded(own.token(await own.code(visitor, person, offline)))
      return async () =>
        words(await own.token({ grant_type: 'refresh_token', refresh_token: String(refresh_token) }))
    })(setting)

/** An access token for an API, and whether the API is told that it counts. */
const introspected = (api: 'opaqueApi' | 'jwtApi'): Holder =>
  holding('authorization_code', web, async (own, setting) => {
    const { visitor, person, reader } = setting
    const more = { resource: setting[api], scope: 'openid orders:read' }
    const form = { ...(await own.code(visitor, person, more)), resource: setting[api] }
    const { access_token } = await succeeded(own.token(form))
    return async () => {
      const { body } = await reader.post('/token/introspection', { token: String(access_token) })
      return body.active === true ? 'given' : 'inactive'
    }
  })

const askingInput = { grantTypes: [...codeGrants, cibaGrant] }

async function askElsewhere(own: Client, { email }: Credentials): Promise<() => Promise<string>> {
  const form = { scope: 'openid profile', login_hint: email, binding_message: 'W4SCT' }
  const { auth_req_id } = await succeeded(own.post('/backchannel', form))
  return async () => words(await own.token({ grant_type: cibaGrant, auth_req_id: String(auth_req_id) }))
}

const service = { kind: 'service', scopes: ['orders:read'] }

const holders = {
  'authorization code': holding('authorization_code', web, async (own, { visitor, person, jwtApi }) => {
    const code = await own.code(visitor, person, { resource: jwtApi, scope: 'openid orders:read' })
    return async () => words(await own.token({ ...code, resource: jwtApi }))
  }),
  'refresh token that rotates': refreshing({ kind: 'native' }),
  'refresh token that stays': refreshing({}),
  'client credentials': holding('client_credentials', service, async (own, { jwtApi }) => {
    const form = { grant_type: 'client_credentials', resource: jwtApi, scope: 'orders:read' }
    return async () => words(await own.token(form))
  }),
  'device code': holding(
    deviceGrant,
    { grantTypes: [...codeGrants, deviceGrant] },
    async (own, { visitor, person }) => {
      const asked = (await succeeded(
        own.post('/device/auth', { scope: 'openid profile' }),
      )) as unknown as Asked
      const page = await approve(visitor, asked, person)
      if (page.status !== 200) throw new Error(`Not approved: ${page.status} ${page.text.slice(0, 300)}`)
      return async () => words(await own.token({ grant_type: deviceGrant, device_code: asked.device_code }))
    },
  ),
  'device code that waits': holding(
    deviceGrant,
    { grantTypes: [...codeGrants, deviceGrant] },
    async (own) => {
      const { device_code } = await succeeded(own.post('/device/auth', { scope: 'openid profile' }))
      return async () => words(await own.token({ grant_type: deviceGrant, device_code: String(device_code) }))
    },
  ),
  'backchannel request': holding(cibaGrant, askingInput, async (own, { world, visitor, person }) => {
    const poll = await askElsewhere(own, person)
    await approveAsked(world, visitor)
    return poll
  }),
  'backchannel request that waits': holding(cibaGrant, askingInput, (own, { person }) =>
    askElsewhere(own, person),
  ),
  'token exchange': async (setting) => {
    const { world, visitor, person, opaqueApi, jwtApi } = setting
    const shop = await client(world, { ...web, scopes: ofPeople })
    const more = { resource: opaqueApi, scope: 'openid orders:read' }
    const form = { ...(await shop.code(visitor, person, more)), resource: opaqueApi }
    const { access_token } = await succeeded(shop.token(form))
    const held = await holding(
      exchangeGrant,
      {
        ...service,
        grantTypes: [exchangeGrant, 'client_credentials'],
        tokenExchange: {
          modes: ['delegate'],
          audiences: [opaqueApi, jwtApi],
          subjectClients: [shop.id],
          subjectAudiences: [opaqueApi],
        },
      },
      async (own) => async () =>
        words(
          await own.token({
            grant_type: exchangeGrant,
            subject_token: String(access_token),
            subject_token_type: accessTokenType,
            resource: jwtApi,
          }),
        ),
    )(setting)
    return { ...held, subjectClientId: shop.id }
  },
  'JWT bearer assertion': (setting) => {
    const { issuer, subject } = outside(setting.world)
    const credentials = { federatedCredentials: [{ issuer, subject }] }
    return holding(
      jwtBearerGrant,
      { ...service, grantTypes: [jwtBearerGrant, 'client_credentials'], ...credentials },
      async (own, { world, jwtApi }) =>
        async () => {
          const assertion = await outsideToken(world, subject)
          const form = { grant_type: jwtBearerGrant, assertion, resource: jwtApi, scope: 'orders:read' }
          return words(await own.token(form))
        },
    )(setting)
  },
  'federated client': (setting) => {
    const { issuer, subject } = outside(setting.world)
    const credentials = { authentication: 'federated_jwt', federatedCredentials: [{ issuer, subject }] }
    return holding(
      'client_credentials',
      { ...service, grantTypes: ['client_credentials', jwtBearerGrant], ...credentials },
      async (own, { world, jwtApi }) =>
        async () => {
          const client_assertion = await outsideToken(world, subject)
          const proof = { client_assertion_type: assertionType, client_assertion }
          const form = { grant_type: 'client_credentials', resource: jwtApi, scope: 'orders:read' }
          return words(await own.token({ ...form, ...proof }))
        },
    )(setting)
  },
  'access token at user information': holding(
    'authorization_code',
    web,
    async (own, { world, visitor, person }) => {
      const { access_token } = await succeeded(own.token(await own.code(visitor, person)))
      return async () => words(await userinfo(world.latchkey, access_token))
    },
  ),
  'opaque access token at introspection': introspected('opaqueApi'),
  'JWT access token at introspection': introspected('jwtApi'),
  'session cookie': holding('authorization_code', web, async (own, { visitor, person }) => {
    await own.code(visitor, person)
    // A browser of its own, as each answer can replace the cookie.
    return async () => led(await own.visit(visitor.clone(), await own.request({ prompt: 'none' })))
  }),
  'pending interaction': holding(
    'authorization_code',
    { ...web, firstParty: false },
    async (own, { visitor }) => {
      const window = visitor.clone()
      const page = await own.visit(window, await own.request())
      if (!page.text.includes('/consent"')) throw new Error(`No consent: ${page.status} ${page.text}`)
      return async () => led(await window.follow(await window.submit(page, {}, { action: '/consent' })))
    },
  ),
  'pushed request': holding('authorization_code', web, async (own) => {
    const { request_uri } = await succeeded(own.post('/request', await own.request()))
    return async () =>
      led(await own.visit(newVisitor(), { client_id: own.id, request_uri: String(request_uri) }))
  }),
} as const satisfies Readonly<Record<string, Holder>>

export type Thing = keyof typeof holders
export const things = Object.keys(holders) as readonly Thing[]

const outside = ({ cluster }: RightsWorld) => ({
  issuer: cluster.issuer,
  subject: `job:${randomUUID()}`,
})

const outsideToken = ({ cluster, latchkey }: RightsWorld, sub: string): Promise<string> =>
  cluster.token({ sub, aud: latchkey.issuer, jti: randomUUID() })

async function approveAsked({ latchkey: { issuer } }: RightsWorld, visitor: Visitor): Promise<void> {
  const list = await visitor.get(`${issuer}/account/applications`)
  const [, path] = /href="(\/account\/applications\/approvals\/answer\?id=[^"]+)"/.exec(list.text) ?? []
  if (path === undefined) throw new Error(`Nothing waits: ${list.status} ${list.text.slice(0, 300)}`)
  const page = await visitor.get(issuer + path.replaceAll('&amp;', '&'))
  const { status, text } = await visitor.follow(await visitor.submit(page, {}, { action: '/approve' }))
  if (status !== 200) throw new Error(`Not approved: ${status} ${text.slice(0, 300)}`)
}

/** Whom and what the holders are about; `only` some things, of clients that are `input` besides. */
export interface Choice {
  readonly only?: readonly Thing[]
  readonly input?: Readonly<Record<string, unknown>>
}

/** A new person, new clients and new APIs, and everything in hand, in one session. */
export async function holdAll(
  world: RightsWorld,
  { only = things, input = {} }: Choice = {},
): Promise<Everything> {
  const { latchkey } = world
  const name = randomUUID()
  const person = { email: `${name}@example.test`, password: 'analytical engine 1843' }
  const userId = (await latchkey.createUser(person)) as UserId
  const reader = await client(world, { kind: 'service', scopes: [] })
  const [opaqueApi, jwtApi] = [`https://stock.example.test/${name}`, `https://orders.example.test/${name}`]
  for (const [indicator, tokenFormat] of [
    [opaqueApi, 'opaque'],
    [jwtApi, 'jwt'],
  ] as const)
    await latchkey.createApi({
      indicator,
      name: indicator,
      tokenFormat,
      scopes: [{ name: 'orders:read' }, { name: 'orders:write' }],
      introspectors: [reader.id],
    })
  const visitor = newVisitor()
  const setting: Setting = { world, visitor, person, opaqueApi, jwtApi, reader, input }
  const opened: [Thing, Holding][] = []
  for (const thing of only) opened.push([thing, await holders[thing](setting)])
  const holdings = Object.fromEntries(opened) as Record<Thing, Holding>
  return {
    userId,
    person,
    visitor,
    apis: [opaqueApi, jwtApi],
    holdings,
    async useAll() {
      const told: [Thing, string][] = []
      for (const thing of only) told.push([thing, await holdings[thing].use()])
      return Object.fromEntries(told) as Record<Thing, string>
    },
  }
}

/** Changes or runs a verb of a client, an API or a trusted issuer, as the command line does. */
export async function act(
  { app }: RunningLatchkey,
  name: 'clients' | 'resources' | 'users' | 'trustedIssuers',
  [key, verb]: readonly [key: string, verb: string],
): Promise<void> {
  const { resource } = app.features[name]
  const item = await resource.find(key)
  if (item === undefined) throw new Error(`There is no ${key}.`)
  const run = resource.actions.find((each) => each.name === verb)?.run as (
    ...given: unknown[]
  ) => Promise<unknown>
  await run(item, {}, commandLineActor)
}
