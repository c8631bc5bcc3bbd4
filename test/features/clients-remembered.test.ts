/** What processes remember of clients: a change of one is seen by all of them, and costs nobody else anything. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { administration } from '../support/administration.ts'
import { openParties, type Parties, partiesOn } from '../support/parties.ts'

let here: Parties
let storage: Storage
let there: ReturnType<typeof partiesOn>
const patience = { timeout: 10_000, interval: 5 }

beforeEach(async () => {
  here = await openParties()
  storage = await openStorage({
    databaseUrl: here.storage.url,
    dataFolder: '',
    synchronous: 'NORMAL',
    poolSize: 2,
    timeoutMilliseconds: 5_000,
  })
  there = partiesOn(storage)
})
afterEach(async () => {
  await storage.close()
  await here[Symbol.asyncDispose]()
})

const { create, update, act } = administration(() => here.clients.resource)
const registering = () => here.clients.registering
const web = { name: 'Shop', kind: 'web', redirectUris: ['https://shop.example/callback'] }
const registered = { ...web, name: 'Guest' }

const remembered = async (id: string) => {
  const found = async ({ clients }: Pick<Parties, 'clients'>) => await clients.clients.find(id)
  return [await found(here), await found(there)]
}
/** Clients that are remembered by both processes, and the first change of all, which is counted like none after it. */
async function openCrowd(): Promise<() => Promise<void>> {
  const { item } = await create(web)
  await update(item, { name: 'First' })
  const crowd = await Promise.all(Array.from({ length: 5 }, () => create(web)))
  const all = () => Promise.all(crowd.map(({ item: { id } }) => remembered(id)))
  const settled = async () => {
    const [before, after] = [(await all()).flat(), (await all()).flat()]
    for (const [index, client] of before.entries()) expect(after[index] === client).toBe(true)
    return after
  }
  await vi.waitFor(
    async () => expect((await there.clients.clients.find(item.id))?.name).toBe('First'),
    patience,
  )
  const known = await vi.waitFor(settled, patience)
  return async () => {
    const now = (await all()).flat()
    for (const [index, client] of known.entries()) expect(now[index] === client).toBe(true)
  }
}

describe('a client that changes', () => {
  const now = new Date('2026-01-01')

  it('is another one at once, in every process, and all others stay in memory', async () => {
    const expectCrowdKept = await openCrowd()
    const { item, reveals } = await create(web)
    const opens = (client: Awaited<ReturnType<typeof remembered>>[number], secret = reveals?.secret ?? '') =>
      client !== undefined && here.clients.clients.verifySecret(client, secret, now)
    let secretId = ''
    const changes: readonly [
      () => Promise<unknown>,
      (client: Awaited<ReturnType<typeof remembered>>[number]) => boolean,
    ][] = [
      [() => update(item, { name: 'Changed' }), (client) => client?.name === 'Changed'],
      [
        () => update(item, { redirectUris: ['https://new.example/'] }),
        (client) => client?.redirectUris[0] === 'https://new.example/',
      ],
      [() => act(item, 'disable'), (client) => client?.disabledAt !== undefined],
      [() => act(item, 'enable'), (client) => client !== undefined && client.disabledAt === undefined],
      [
        async () => {
          const { item: changed } = await act(item, 'add-secret', { label: 'second' })
          secretId = changed.secrets.find(({ label }) => label !== 'second')?.id ?? ''
        },
        (client) => client?.secrets.length === 2,
      ],
      [() => act(item, 'remove-secret', { secretId }), (client) => !opens(client)],
      [() => here.clients.resource.delete(item, { kind: 'command-line' }), (client) => client === undefined],
      // Whose identifier is taken by another one.
      [() => create({ ...web, id: item.id, name: 'Heir' }), (client) => client?.name === 'Heir'],
    ]
    for (const [change, isChanged] of changes) {
      await remembered(item.id)
      await change()
      expect(isChanged(await here.clients.clients.find(item.id))).toBe(true)
      await vi.waitFor(
        async () => expect(isChanged(await there.clients.clients.find(item.id))).toBe(true),
        patience,
      )
      await expectCrowdKept()
    }
  })

  it('by itself, or leaves, is known to every process as well', async () => {
    const expectCrowdKept = await openCrowd()
    const draft = registering().draft(registered)
    const { client } = await registering().create(draft, { origin: 'registration', also: async () => {} })
    const { id } = client
    await remembered(id)
    await registering().replace(id, registering().draft({ ...registered, name: 'Other' }), {
      also: async () => {},
    })
    expect((await here.clients.clients.find(id))?.name).toBe('Other')
    await vi.waitFor(async () => expect((await there.clients.clients.find(id))?.name).toBe('Other'), patience)
    await registering().remove(id, async () => {})
    expect(await here.clients.clients.find(id)).toBeUndefined()
    await vi.waitFor(async () => expect(await there.clients.clients.find(id)).toBeUndefined(), patience)
    await expectCrowdKept()
  })

  it('and whose change is taken back stays what it is', async () => {
    const { item } = await create(web)
    await remembered(item.id)
    const failing = registering().replace(item.id, registering().draft({ ...web, name: 'Other' }), {
      also: () => Promise.reject(new Error('refused')),
    })
    await expect(failing).rejects.toThrow('refused')
    expect((await remembered(item.id)).map((client) => client?.name)).toEqual(['Shop', 'Shop'])
  })
})

describe('clients that come', () => {
  it('are found by every process at once, also by one that has just asked for them in vain', async () => {
    const expectCrowdKept = await openCrowd()
    const counted = await here.storage.db.revision.count()
    for (let index = 0; index < 20; index += 1) {
      const id = `new-${index}`
      expect(await remembered(id)).toEqual([undefined, undefined])
      await create({ ...web, id })
      expect((await remembered(id)).map((client) => client?.id)).toEqual([id, id])
    }
    await expectCrowdKept()
    expect(await here.storage.db.revision.count()).toBe(counted)
  })
})

describe('clients that authenticate by tokens of issuers', () => {
  const federated = {
    kind: 'service',
    authentication: 'federated_jwt',
    federatedCredentials: [{ issuer: 'https://cluster.example', subject: 'system:serviceaccount:a:b' }],
  }
  const names = async ({ clients }: Pick<Parties, 'clients'>) =>
    (await clients.clients.listFederated())
      .map(({ name, disabledAt }) => [name, disabledAt === undefined])
      .toSorted()
  const expectListed = async (...listed: readonly (readonly [string, boolean])[]) => {
    expect(await names(here)).toEqual(listed)
    await vi.waitFor(async () => expect(await names(there)).toEqual(listed), patience)
  }

  it('are listed as they are, in every process, and anew only when one of them changes', async () => {
    await expectListed()
    const { item } = await create({ ...federated, name: 'Importer' })
    await expectListed(['Importer', true])
    await update(item, { name: 'Exporter' })
    await expectListed(['Exporter', true])
    await act(item, 'disable')
    await expectListed(['Exporter', false])
    const { item: service } = await create({ kind: 'service', name: 'Service' })
    await expectListed(['Exporter', false])
    const list = await vi.waitFor(async () => {
      const [before, after] = [
        await there.clients.clients.listFederated(),
        await there.clients.clients.listFederated(),
      ]
      expect(before === after).toBe(true)
      return after
    }, patience)
    await update(service, { name: 'Server' })
    await vi.waitFor(
      async () => expect((await there.clients.clients.find(service.id))?.name).toBe('Server'),
      patience,
    )
    expect((await there.clients.clients.listFederated()) === list).toBe(true)
    const { authentication, federatedCredentials } = federated
    await update(service, { authentication, federatedCredentials })
    await expectListed(['Exporter', false], ['Server', true])
    await update(service, { authentication: 'client_secret_basic', federatedCredentials: null })
    await expectListed(['Exporter', false])
    await here.clients.resource.delete(item, { kind: 'command-line' })
    await expectListed()
  })
})
