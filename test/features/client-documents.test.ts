import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDocumentClients } from '../../src/features/client-registrations/documents.ts'
import type { Client } from '../../src/features/clients/index.ts'
import { movableClock } from '../support/clock.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const documentOf = (id: string): object => ({
  client_id: id,
  client_name: 'Agent',
  redirect_uris: [`${new URL(id).origin}/callback`],
  token_endpoint_auth_method: 'none',
})
const json = (body: object, status = 200): Response => Response.json(body, { status })
const never = (): Promise<Response> => new Promise(() => {})

describe('documents of strangers', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
  })
  afterAll(() => latchkey?.close())

  let clock: ReturnType<typeof movableClock>
  let asked: Map<string, number>
  let answers: (id: string) => Promise<Response>
  beforeEach(() => {
    clock = movableClock()
    asked = new Map()
    answers = async (id) => json(documentOf(id))
  })

  const open = () => {
    const { registering } = latchkey.app.features.clients
    const documents = openDocumentClients({
      registering,
      clock,
      log: latchkey.app.log,
      keyOf: (address: string) => address,
      fetch: (id) => {
        asked.set(id, (asked.get(id) ?? 0) + 1)
        return answers(id)
      },
      settings: {
        documents: 'any',
        documentHosts: [],
        documentScopes: ['openid'],
        documentMinimumSeconds: 60,
        documentMaximumSeconds: 3_600,
      },
    })
    const row = (id: string): Client =>
      registering.client(
        id,
        registering.draft({ kind: 'spa', name: 'Agent', redirectUris: ['https://a.example/cb'] }),
        { origin: 'document' },
      )
    const rows = new Map<string, Client>()
    return {
      find: (id: string, { known = false, address }: { known?: boolean; address?: string } = {}) => {
        if (known && !rows.has(id)) rows.set(id, row(id))
        return documents.find(id, { stored: async () => rows.get(id), address })
      },
    }
  }
  const good = 'https://good.example/agent'
  const evil = (number: number, host = `h${number}.evil.example`): string => `https://${host}/${number}`

  it('that fail do not push out those that are good', async () => {
    const { find } = open()
    expect(await find(good)).toBeDefined()
    answers = async () => json({}, 404)
    for (let number = 0; number < 1_500; number += 1) await find(evil(number))
    expect(await find(good)).toBeDefined()
    expect(asked.get(good)).toBe(1)
  })

  it('that are good do not push out one that is in use, nor one that somebody has allowed', async () => {
    const { find } = open()
    const allowed = 'https://allowed.example/agent'
    await find(allowed, { known: true })
    await find(good)
    for (let number = 0; number < 1_500; number += 1) {
      await find(evil(number))
      if (number % 500 === 0) await find(good)
    }
    expect(await find(good)).toBeDefined()
    expect(await find(allowed, { known: true })).toBeDefined()
    expect([asked.get(good), asked.get(allowed)]).toEqual([1, 1])
  })

  it('at one slow host leave room for those of others', async () => {
    const { find } = open()
    answers = (id) => (id.includes('evil') ? never() : Promise.resolve(json(documentOf(id))))
    for (let number = 0; number < 50; number += 1) void find(evil(number, 'evil.example'))
    expect(await find(good)).toBeDefined()
    expect(asked.size).toBeLessThan(10)
  })

  it('at many slow hosts leave room where one sender names them', async () => {
    const { find } = open()
    answers = (id) => (id.includes('evil') ? never() : Promise.resolve(json(documentOf(id))))
    for (let number = 0; number < 50; number += 1) void find(evil(number), { address: '192.0.2.1' })
    expect(await find(good, { address: '192.0.2.2' })).toBeDefined()
  })

  it('at many slow hosts that many senders name keep nobody from what was allowed before', async () => {
    const { find } = open()
    answers = (id) => (id.includes('evil') ? never() : Promise.resolve(json(documentOf(id))))
    for (let number = 0; number < 500; number += 1) void find(evil(number), { address: `192.0.2.${number}` })
    expect(asked.size).toBeLessThanOrEqual(21)
    expect(await find(good)).toBeUndefined()
    expect(await find('https://allowed.example/agent', { known: true })).toBeDefined()
  })

  it.each([
    ['answers with an error', async () => json({}, 503)],
    ['cannot be reached', async () => Promise.reject(new TypeError('fetch failed'))],
  ])('that were allowed stay for a while when their host %s', async (_what, failing) => {
    const { find } = open()
    const client = await find(good, { known: true })
    await find('https://new.example/agent')
    answers = failing
    clock.advance(70)
    expect(await find(good, { known: true })).toBe(client)
    // Whom nobody has allowed is not served from before.
    expect(await find('https://new.example/agent')).toBeUndefined()
    // It is asked again, but not each time.
    await find(good, { known: true })
    expect(asked.get(good)).toBe(2)
    clock.advance(31)
    await find(good, { known: true })
    expect(asked.get(good)).toBe(3)
    clock.advance(3_600)
    expect(await find(good, { known: true })).toBeUndefined()
  })

  it('that were allowed end at once when they are taken away, or say something else', async () => {
    for (const answer of [json({}, 404), json({ ...documentOf(good), client_id: 'https://b.example/x' })]) {
      const { find } = open()
      answers = async (id) => json(documentOf(id))
      await find(good, { known: true })
      answers = async () => answer.clone()
      clock.advance(70)
      expect(await find(good, { known: true })).toBeUndefined()
      answers = async () => json({}, 503)
      clock.advance(31)
      expect(await find(good, { known: true })).toBeUndefined()
    }
  })

  it('keep what an administrator has set', async () => {
    const { registering, resource } = latchkey.app.features.clients
    const draft = registering.draft({
      kind: 'spa',
      name: 'Agent',
      redirectUris: ['https://good.example/callback'],
    })
    await registering.create(draft, { id: good, origin: 'document', also: async () => {} })
    const item = await resource.find(good)
    if (item === undefined) throw new Error('The client is gone.')
    await resource.update(item, { scopes: [], accessTokenTtlSeconds: 60 }, { kind: 'command-line' })
    const documents = openDocumentClients({
      registering,
      clock,
      log: latchkey.app.log,
      keyOf: (address: string) => address,
      fetch: async (id) => json(documentOf(id)),
      settings: {
        documents: 'any',
        documentHosts: [],
        documentScopes: ['openid'],
        documentMinimumSeconds: 60,
        documentMaximumSeconds: 3_600,
      },
    })
    const stored = async () => await registering.read(good)
    expect(await documents.find(good, { stored })).toMatchObject({ scopes: [], accessTokenTtlSeconds: 60 })
  })
})
