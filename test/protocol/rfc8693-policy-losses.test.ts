import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, type Input, parseUpdate } from '../../src/kernel/input.ts'
import { access, type Exchanging, exchanging, jwtApi, opaqueApi } from '../support/exchanges.ts'

const policy = {
  modes: ['delegate', 'impersonate'],
  audiences: [opaqueApi, jwtApi],
  subjectClients: ['shop'],
}
const issuers = ['https://ci.example.com', 'https://cluster.example.com']
const credential = { issuer: 'https://ci.example.com', subject: 'repo:acme/shop' }
const grants = [access.grant, 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
const another = { ...credential, subject: 'repo:acme/store' }

/** What a client had, and what is left of it. */
const shrinking: Readonly<Record<string, readonly [before: Input, after: Input]>> = {
  'another API alone': [{ tokenExchange: policy }, { tokenExchange: { ...policy, audiences: [jwtApi] } }],
  'tokens of another client alone': [
    { tokenExchange: policy },
    { tokenExchange: { ...policy, subjectClients: ['speaker'] } },
  ],
  'one mode alone': [{ tokenExchange: policy }, { tokenExchange: { ...policy, modes: ['delegate'] } }],
  'tokens of some APIs alone, after those of any': [
    { tokenExchange: policy },
    { tokenExchange: { ...policy, subjectAudiences: [opaqueApi, jwtApi] } },
  ],
  'tokens of fewer APIs': [
    { tokenExchange: { ...policy, subjectAudiences: [opaqueApi, jwtApi] } },
    { tokenExchange: { ...policy, subjectAudiences: [opaqueApi] } },
  ],
  'tokens of fewer issuers': [
    { tokenExchange: { ...policy, subjectIssuers: issuers } },
    { tokenExchange: { ...policy, subjectIssuers: issuers.slice(1) } },
  ],
  'tokens with which only one may act': [{ mayAct: null }, { mayAct: { sub: 'speaker' } }],
  'tokens with which only somebody else may act': [
    { mayAct: { sub: 'gateway' } },
    { mayAct: { sub: 'speaker' } },
  ],
  'fewer credentials': [
    { grantTypes: grants, federatedCredentials: [credential, another] },
    { grantTypes: grants, federatedCredentials: [credential] },
  ],
}

const growing: readonly (readonly [before: Input, after: Input])[] = [
  [{ tokenExchange: policy }, { tokenExchange: { ...policy, subjectClients: ['shop', 'speaker'] } }],
  [{ tokenExchange: { ...policy, subjectAudiences: [opaqueApi, jwtApi] } }, { tokenExchange: policy }],
  [
    { grantTypes: grants, federatedCredentials: [credential] },
    { federatedCredentials: [another, credential] },
  ],
  [{ mayAct: { sub: 'gateway' } }, { mayAct: null }],
  [{ tokenExchange: policy }, { tokenExchange: policy }],
]

/** A client of its own, as any loss ends the JWTs of the same second. */
async function gateway({ latchkey }: Exchanging, input: Input) {
  const client = await latchkey.createClient({
    kind: 'service',
    name: 'Gateway',
    scopes: ['orders:read', 'orders:write'],
    grantTypes: [access.grant, 'client_credentials'],
    tokenExchange: policy,
    ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)),
  })
  const { resource } = latchkey.app.features.clients
  return {
    client,
    async change(changes: Input) {
      const item = await resource.find(client.id)
      if (item === undefined) throw new Error('The client is gone.')
      await resource.update(item, accept(parseUpdate(resource.fields, changes)), commandLineActor)
    },
  }
}

type Gateway = Awaited<ReturnType<typeof gateway>>

/** An exchanged token of each format, and whether it is still worth something. */
async function exchanged(world: Exchanging, { client }: Gateway) {
  const tokens: unknown[] = []
  for (const api of [opaqueApi, jwtApi]) {
    const { access_token: subject } = await world.signIn(api)
    const { status, body } = await world.exchange(client, subject, { resource: api })
    expect(status).toBe(200)
    tokens.push(body.access_token)
  }
  return () => Promise.all(tokens.map(async (token) => (await world.state(client, token)).active))
}

it('tells nobody of what it came', async () => {
  const world = await exchanging()
  const { access_token: subject } = await world.signIn(jwtApi)
  const { body } = await world.exchange(world.gateway, subject, { resource: jwtApi })
  const state = await world.state(world.gateway, body.access_token)
  expect(state).toMatchObject({ active: true, sub: world.userId })
  expect(state).not.toHaveProperty('exchange_ref')
  await world.close()
})

describe('an exchanged token', () => {
  let world: Exchanging
  beforeAll(async () => {
    world = await exchanging()
  })
  afterAll(() => world?.close())

  it.each(Object.entries(shrinking))('ends when its client may have %s', async (_what, [before, after]) => {
    const own = await gateway(world, before)
    const active = await exchanged(world, own)
    expect(await active()).toEqual([true, true])
    await own.change(after)
    expect(await active()).toEqual([false, false])
    // Nor does it come back with the policy.
    await own.change(before)
    expect(await active()).toEqual([false, false])
  })

  it.each(growing)('stays when its client has %o and gets %o', async (before, after) => {
    const own = await gateway(world, before)
    const active = await exchanged(world, own)
    await own.change(after)
    expect(await active()).toEqual([true, true])
  })
})
