/**
 * An API of JWT access tokens, who may ask about them, a service and an application that get them, and a person.
 *
 *     const house = await openJwtHouse()
 *     const { access_token } = await house.forService()
 *     await house.state(access_token)
 */
import * as openid from 'openid-client'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { discover, type RelyingParty, relyingParty } from './relying-party.ts'
import { newVisitor, type Visitor } from './visitor.ts'

export const orders = 'https://orders.example.test'
export const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

export type JwtHouse = Awaited<ReturnType<typeof openJwtHouse>>

export async function openJwtHouse(api: Readonly<Record<string, unknown>> = {}) {
  const latchkey = await startLatchkey()
  const userId = await latchkey.createUser(ada)
  const configured = (input: Readonly<Record<string, unknown>>) => clientAt(latchkey, input)
  const asking = await configured({ kind: 'service', name: 'Orders API' })
  await latchkey.createApi({
    indicator: orders,
    name: 'Orders',
    scopes: [{ name: 'orders:read' }],
    introspectors: [asking.id],
    ...api,
  })
  const service = await configured({ kind: 'service', name: 'Importer', scopes: ['orders:read'] })
  const shop = await relyingParty(latchkey, {
    name: 'Shop',
    firstParty: true,
    scopes: ['openid', 'profile', 'email', 'offline_access', 'orders:read'],
  })

  return {
    latchkey,
    userId,
    asking: asking.configuration,
    service,
    shop,
    configured,

    forService: () =>
      openid.clientCredentialsGrant(service.configuration, { resource: orders, scope: 'orders:read' }),

    /** A sign-in and a token for the API. */
    async forPerson(visitor: Visitor = newVisitor(), party: RelyingParty = shop, person = ada) {
      const tokens = await party.signIn(visitor, person, {
        resource: orders,
        scope: 'openid orders:read',
      })
      const forApi = await openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '', {
        resource: orders,
      })
      return { ...forApi, refresh_token: tokens.refresh_token ?? '', id_token: tokens.id_token ?? '' }
    },

    /** What the API is told of a token. */
    state: (token: string, who: openid.Configuration = asking.configuration) =>
      openid.tokenIntrospection(who, token),

    async act(name: 'clients' | 'users' | 'resources', key: string, action: string): Promise<void> {
      const { resource } = latchkey.app.features[name]
      const item = await resource.find(key)
      if (item === undefined) throw new Error(`There is no ${key}.`)
      const run = resource.actions.find((each) => each.name === action)?.run as (
        ...given: unknown[]
      ) => Promise<unknown>
      await run(item, {}, commandLineActor)
    },

    [Symbol.asyncDispose]: () => latchkey.close(),
  }
}

export async function clientAt(latchkey: RunningLatchkey, input: Readonly<Record<string, unknown>>) {
  const { id, secret } = await latchkey.createClient(input)
  return { id, secret, configuration: await discover(latchkey.issuer, id, openid.ClientSecretBasic(secret)) }
}
