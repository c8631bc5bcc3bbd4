/** Everything that somebody can hold of the server: what waits to be redeemed at each grant, and what was issued. */
import { randomUUID } from 'node:crypto'
import { type Credentials, userinfo } from './application.ts'
import { type Asked, approve, deviceGrant } from './devices.ts'
import {
  assertionType,
  type Client,
  client,
  led,
  type RightsWorld,
  succeeded,
  words,
} from './rights-clients.ts'
import { newVisitor, type Visitor } from './visitor.ts'

const cibaGrant = 'urn:openid:params:grant-type:ciba'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtBearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const codeGrants = ['authorization_code', 'refresh_token']
const ofPeople = ['openid', 'profile', 'offline_access', 'orders:read']

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

/** Who holds, and what there is to be had. */
export interface Setting {
  readonly world: RightsWorld
  readonly visitor: Visitor
  readonly person: Credentials
  readonly opaqueApi: string
  readonly jwtApi: string
  readonly reader: Client
  /** What every client is besides. */
  readonly input: Readonly<Record<string, unknown>>
}

export type Holder = (setting: Setting) => Promise<Holding>

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

export const holders = {
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
