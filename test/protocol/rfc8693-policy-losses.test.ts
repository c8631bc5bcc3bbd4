import { describe, expect, it } from 'vitest'
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

async function change(world: Exchanging, input: Input): Promise<void> {
  const { resource } = world.latchkey.app.features.clients
  const item = await resource.find(world.gateway.id)
  if (item === undefined) throw new Error('The client is gone.')
  await resource.update(item, accept(parseUpdate(resource.fields, input)), commandLineActor)
}

/** An exchanged token of each format, and whether it is still worth something. */
async function exchanged(world: Exchanging) {
  const tokens = await Promise.all(
    [opaqueApi, jwtApi].map(async (api) => {
      const { access_token: subject } = await world.signIn(api)
      const { status, body } = await world.exchange(world.gateway, subject, { resource: api })
      expect(status).toBe(200)
      return body.access_token
    }),
  )
  return () => Promise.all(tokens.map(async (token) => (await world.state(world.gateway, token)).active))
}

describe('an exchanged token', () => {
  it.each(Object.entries(shrinking))('ends when its client may have %s', async (_what, [before, after]) => {
    const world = await exchanging()
    await change(world, before)
    const active = await exchanged(world)
    expect(await active()).toEqual([true, true])
    await change(world, after)
    expect(await active()).toEqual([false, false])
    // Nor does it come back with the policy.
    await change(world, before)
    expect(await active()).toEqual([false, false])
    await world.close()
  })

  it('stays when its client may have more, or the same', async () => {
    const world = await exchanging()
    for (const [before, after] of growing) {
      await change(world, before)
      const active = await exchanged(world)
      await change(world, after)
      expect(await active()).toEqual([true, true])
    }
    await world.close()
  })
})
