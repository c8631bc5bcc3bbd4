/** Clients that exchange tokens, two APIs, and a person whose tokens they take. */
import * as openid from 'openid-client'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Answer, type Credentials, type Fields, send } from './application.ts'
import { movableClock } from './clock.ts'
import { type CreatedClient, startLatchkey } from './latchkey.ts'
import { discover, type RelyingParty, relyingParty, type Tokens } from './relying-party.ts'
import { newVisitor, type Visitor } from './visitor.ts'

export const opaqueApi = 'https://stock.example.test'
export const jwtApi = 'https://orders.example.test'
export const access = {
  grant: 'urn:ietf:params:oauth:grant-type:token-exchange',
  type: 'urn:ietf:params:oauth:token-type:access_token',
} as const

export const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const grace = { email: 'grace@example.test', name: 'Grace Hopper', password: 'a moth in the relay 1947' }
const scopes = ['orders:read', 'orders:write']
const openidScopes = ['openid', 'profile', 'email', 'offline_access']

interface SigningIn {
  readonly client?: RelyingParty['client']
  readonly person?: Credentials
  readonly scope?: string
  readonly visitor?: Visitor
  readonly options?: openid.DPoPOptions
  readonly parameters?: Fields
}

export type Exchanging = Awaited<ReturnType<typeof exchanging>>

export async function exchanging() {
  const clock = movableClock()
  const latchkey = await startLatchkey({
    clock,
    environment: {
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
      // The attacks of a test come from one address within a minute.
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000',
    },
  })
  const userId = await latchkey.createUser(ada)
  const graceId = await latchkey.createUser(grace)
  for (const [indicator, tokenFormat] of [
    [opaqueApi, 'opaque'],
    [jwtApi, 'jwt'],
    ['https://other.example.test', 'jwt'],
  ] as const)
    await latchkey.createApi({
      indicator,
      name: indicator,
      tokenFormat,
      scopes: [...scopes, 'orders:delete'].map((name) => ({ name })),
    })
  const people = { firstParty: true, scopes: [...openidScopes, ...scopes] }
  const parties = new Map<string, RelyingParty>()
  const app = async (id: string, more: Readonly<Record<string, unknown>> = {}) => {
    const party = await relyingParty(latchkey, { id, name: id, ...people, ...more })
    parties.set(id, party)
    return party.client
  }
  const policy = (more: object = {}) => ({
    grantTypes: [access.grant, 'client_credentials'],
    scopes,
    tokenExchange: {
      modes: ['delegate'],
      audiences: [opaqueApi, jwtApi],
      subjectClients: ['shop', 'guarded', 'gateway', 'backend', 'gateway-app', 'speaker'],
      ...more,
    },
  })
  const service = (id: string, more: object) =>
    latchkey.createClient({ kind: 'service', id, name: id, ...more })

  const shop = await app('shop')
  const world = {
    latchkey,
    clock,
    userId,
    graceId,
    grace,
    shop,
    otherApp: await app('other-app'),
    guardedApp: await app('guarded', { mayAct: { sub: 'backend' } }),
    publicApp: await app('public', { kind: 'spa' }),
    gatewayApp: await app('gateway-app', {
      ...policy(),
      grantTypes: ['authorization_code', 'refresh_token', access.grant],
      scopes: people.scopes,
    }),
    gateway: await service('gateway', policy()),
    backend: await service('backend', policy()),
    speaker: await service('speaker', policy({ modes: ['impersonate'] })),
    reader: await service('reader', {
      ...policy({ subjectAudiences: [opaqueApi] }),
      scopes: ['orders:read'],
    }),
    plain: await service('plain', { scopes }),

    configured: ({ id, secret }: CreatedClient) =>
      discover(latchkey.issuer, id, openid.ClientSecretBasic(secret)),

    /** Signs a person in to the client and asks for a token for the API, or for none. */
    async signIn(api: string | undefined, own: SigningIn = {}): Promise<Tokens> {
      const { client = shop, person = ada, scope = scopes.join(' '), visitor = newVisitor() } = own
      const party = parties.get(client.id)
      if (party === undefined) throw new Error(`Nobody signs in to ${client.id}.`)
      const request = await party.request({
        scope: `openid ${api === undefined ? '' : scope}`.trim(),
        ...(api !== undefined && { resource: api }),
        ...own.parameters,
      })
      const { walkThrough } = await import('./relying-party.ts')
      const location = await walkThrough(visitor, request.url, person)
      if (api === undefined) return await party.redeem(request, location, own.options)
      return await openid.authorizationCodeGrant(
        party.configuration,
        new URL(location),
        { pkceCodeVerifier: request.verifier, expectedState: request.state, expectedNonce: request.nonce },
        { resource: api },
        own.options,
      )
    },

    exchange(
      client: CreatedClient,
      token: unknown,
      more: Fields = {},
      headers: Fields = {},
    ): Promise<Answer> {
      const proof = { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` }
      const form = {
        grant_type: access.grant,
        subject_token: String(token),
        subject_token_type: access.type,
        ...(client.secret === '' && { client_id: client.id }),
        ...more,
      }
      return send(latchkey, '/token', { headers: { ...(client.secret !== '' && proof), ...headers }, form })
    },

    /** What introspection tells a client of its own token. */
    async state({ id, secret }: CreatedClient, token: unknown): Promise<Answer['body']> {
      const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` }
      return (await send(latchkey, '/token/introspection', { headers, form: { token: String(token) } })).body
    },

    /** An access token of a client for itself. */
    async credentials({ id, secret }: CreatedClient): Promise<string> {
      const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` }
      const form = { grant_type: 'client_credentials', resource: opaqueApi, scope: 'orders:read' }
      return String((await send(latchkey, '/token', { headers, form })).body.access_token)
    },

    /** Runs a verb of a client as the command line does. */
    async act({ id }: CreatedClient, verb: string): Promise<void> {
      const { resource } = latchkey.app.features.clients
      const item = await resource.find(id)
      if (item === undefined) throw new Error(`There is no client ${id}.`)
      await resource.actions.find(({ name }) => name === verb)?.run(item, {}, commandLineActor)
    },

    close: () => latchkey.close(),
  }
  return world
}
