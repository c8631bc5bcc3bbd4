import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { administration, codeOf } from '../support/administration.ts'
import { openParties, type Parties, partiesOn } from '../support/parties.ts'

let opened: Parties

beforeAll(async () => {
  opened = await openParties()
})
afterAll(() => opened[Symbol.asyncDispose]())

const resource = () => opened.clients.resource
const clients = () => opened.clients.clients
const { create, update, act } = administration(resource)

const get = async (id: string) => {
  const client = await clients().find(id)
  if (client === undefined) throw new Error(`There is no client ${id}.`)
  return client
}

const web = { name: 'Shop', kind: 'web', redirectUris: ['https://shop.example/callback'] }
const publicKeyOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: 'jwk' })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Something short-lived of the client, such as a token. */
const leaveArtefact = async (clientId: string): Promise<void> => {
  await opened.storage.db.artefact.createMany({
    data: [{ model: 'AccessToken', id: `token of ${clientId}`, payload: '{}', clientId }],
  })
}
const artefactsOf = (clientId: string): Promise<number> =>
  opened.storage.db.artefact.count({ where: { clientId } })

describe('what a kind supplies', () => {
  it('gives a web application code and refresh grants and a secret for HTTP Basic', async () => {
    const { item, reveals } = await create(web)
    expect(item).toMatchObject({
      kind: 'web',
      state: 'active',
      firstParty: false,
      grantTypes: ['authorization_code', 'refresh_token'],
      authentication: 'client_secret_basic',
      idTokenAlgorithm: 'RS256',
      scopes: ['openid', 'profile', 'email', 'offline_access'],
    })
    expect(Buffer.from(reveals?.secret ?? '', 'base64url')).toHaveLength(32)
  })

  it.each([
    ['spa', 'https://app.example/'],
    ['native', 'com.example.app:/callback'],
  ])('gives a %s no secret', async (kind, uri) => {
    const { item, reveals } = await create({ name: 'App', kind, redirectUris: [uri] })
    expect(item.authentication).toBe('none')
    expect(item.secrets).toEqual([])
    expect(reveals).toBeUndefined()
  })

  it('gives a service client credentials, a secret and no scope', async () => {
    const { item, reveals } = await create({ name: 'Billing', kind: 'service' })
    expect(item).toMatchObject({ grantTypes: ['client_credentials'], scopes: [], redirectUris: [] })
    expect(reveals?.secret).toBeTruthy()
  })

  it.each([
    ['a spa with a secret', { ...web, kind: 'spa', authentication: 'client_secret_basic' }],
    ['a native with client credentials', { ...web, kind: 'native', grantTypes: ['client_credentials'] }],
    ['a service that people sign in to', { ...web, kind: 'service', grantTypes: ['authorization_code'] }],
    ['a service with a redirect URI', { ...web, kind: 'service' }],
    ['a web application without a redirect URI', { name: 'Shop', kind: 'web' }],
    ['a web application with a scheme of its own', { ...web, redirectUris: ['com.example.app:/callback'] }],
    ['a web application without proof', { ...web, authentication: 'none' }],
    ['refresh tokens without a first token', { ...web, redirectUris: [], grantTypes: ['refresh_token'] }],
    ['no grant type', { ...web, grantTypes: [] }],
    ['private_key_jwt without keys', { ...web, authentication: 'private_key_jwt' }],
    ['keys both ways', { ...web, jwks: { keys: [publicKeyOf(ec)] }, jwksUri: 'https://shop.example/jwks' }],
    [
      'a proof by keys that only encrypt',
      {
        ...web,
        authentication: 'private_key_jwt',
        jwks: { keys: [{ ...publicKeyOf(ec), use: 'enc' }] },
      },
    ],
  ])('refuses %s', async (_, input) => {
    expect(await codeOf(create(input))).toBe('clients.inconsistent')
  })
})

describe('changes', () => {
  it('changes what is named and leaves the rest', async () => {
    const { item } = await create({
      ...web,
      firstParty: true,
      logoUri: 'https://shop.example/logo.png',
      scopes: ['openid'],
    })
    const { item: changed } = await update(item, { name: 'Store', logoUri: null })
    expect(changed).toEqual({ ...item, name: 'Store', logoUri: null, updatedAt: changed.updatedAt })
  })

  it('loses none of twenty changes made at once, and never fits two that contradict each other', async () => {
    const { item } = await create({ ...web, name: 'start' })
    const fields = ['logoUri', 'clientUri', 'policyUri', 'tosUri']
    const inputs = Array.from({ length: 20 }, (_, index) => ({
      [fields[index % 4] ?? '']: `https://shop.example/${Math.floor(index / 4)}`,
    }))
    const codes = await Promise.all(inputs.map((input) => codeOf(update(item, input))))
    expect(new Set(codes)).toEqual(new Set(['no error']))
    const after = await resource().find(item.id)
    for (const field of fields) expect(after).toHaveProperty(field, expect.stringMatching(/^https:\/\/shop/))

    const contradicting = [
      { jwksUri: 'https://shop.example/jwks', authentication: 'private_key_jwt' },
      { authentication: 'client_secret_post', jwksUri: null },
    ]
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => codeOf(update(item, contradicting[index % 2] ?? {}))),
    )
    const { authentication, jwksUri } = await get(item.id)
    // Whoever proves himself by his keys has some; that somebody else has some, too, is no contradiction.
    if (authentication === 'private_key_jwt') expect(jwksUri).toBeDefined()
  })

  it('ends what a client has when it is disabled, and lets it work again', async () => {
    const { item } = await create(web)
    const { item: other } = await create(web)
    await Promise.all([leaveArtefact(item.id), leaveArtefact(other.id)])
    expect(clients().isActive(await get(item.id))).toBe(true)
    expect((await act(item, 'disable')).item.state).toBe('disabled')
    expect(clients().isActive(await get(item.id))).toBe(false)
    expect(await artefactsOf(item.id)).toBe(0)
    expect(await artefactsOf(other.id)).toBe(1)
    expect((await act(item, 'enable')).item.state).toBe('active')
    expect(clients().isActive(await get(item.id))).toBe(true)
  })

  it('ends what a client has when it is deleted, and forgets its secrets', async () => {
    const { item } = await create(web)
    await leaveArtefact(item.id)
    await get(item.id)
    await resource().delete(item, commandLineActor)
    expect(await clients().find(item.id)).toBeUndefined()
    expect(await artefactsOf(item.id)).toBe(0)
    expect(await opened.storage.db.clientSecret.count({ where: { clientId: item.id } })).toBe(0)
    expect(await codeOf(resource().delete(item, commandLineActor))).toBe('clients.unknown')
    expect(await codeOf(update(item, { name: 'gone' }))).toBe('clients.unknown')
  })

  it('records who changed what', async () => {
    const { item } = await create(web)
    await update(item, { name: 'Other' })
    await act(item, 'disable')
    await resource().delete(item, commandLineActor)
    const events = await opened.storage.db.auditEvent.findMany({ where: { clientId: item.id } })
    expect(events.map(({ action }) => action).toSorted()).toEqual([
      'clients.created',
      'clients.deleted',
      'clients.disabled',
      'clients.updated',
    ])
    expect(new Set(events.map(({ actor }) => actor))).toEqual(new Set(['command-line']))
  })
})

describe('what the protocol is given', () => {
  it('cannot be changed by whoever got it', async () => {
    const { item } = await create({ ...web, jwks: { keys: [publicKeyOf(ec)] } })
    const client = await get(item.id)
    for (const part of [client, client.redirectUris, client.secrets, client.jwks, client.jwks?.keys[0]]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('comes from memory until something changes', async () => {
    const { item } = await create(web)
    const known = await clients().find(item.id)
    await expect
      .poll(async () => {
        const [one, other] = [await get(item.id), await get(item.id)]
        return one === other
      })
      .toBe(true)
    await update(item, { name: 'Changed' })
    expect(await get(item.id)).not.toBe(known)
    expect((await get(item.id)).name).toBe('Changed')
  })

  it('follows a change that another process makes', async () => {
    const { item } = await create(web)
    const other = partiesOn(await opened.storage.openAnother()).clients.clients
    expect(await other.find(item.id)).toMatchObject({ disabledAt: undefined })
    await act(item, 'disable')
    await expect.poll(async () => (await other.find(item.id))?.disabledAt).toBeInstanceOf(Date)
  })
})

describe('lists', () => {
  it('gives every client once, page by page, also those made in the same moment', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `Paged 100% ${index}`)
    for (const name of names) await create({ ...web, name })
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await resource().list({ limit: 3, search: 'pAGED', after })
      seen.push(...page.items.map(({ name }) => name))
      after = page.next
    } while (after !== undefined)
    expect(seen.toSorted()).toEqual(names)
  })

  it('refuses a place that no page named and a search that no name can hold', async () => {
    const places = [
      'x',
      '',
      Buffer.from('[1,2]').toString('base64url'),
      Buffer.from('[1,"\\u0000"]').toString('base64url'),
    ]
    for (const after of places) {
      expect(await codeOf(resource().list({ limit: 3, after }))).toBe('page.bad_cursor')
    }
    expect(await codeOf(resource().list({ limit: 3, search: '\u0000' }))).toBe('page.bad_search')
  })
})
