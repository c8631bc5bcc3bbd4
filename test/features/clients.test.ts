import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientItem } from '../../src/features/clients/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, type Input, parseCreate, parseInput, parseUpdate } from '../../src/kernel/input.ts'
import type { Outcome } from '../../src/kernel/resource.ts'
import { openParties, type Parties, partiesOn } from '../support/parties.ts'

let opened: Parties

beforeAll(async () => {
  opened = await openParties()
})
afterAll(() => opened[Symbol.asyncDispose]())

const resource = () => opened.clients.resource
const clients = () => opened.clients.clients

const create = async (input: Input): Promise<Outcome<ClientItem>> =>
  await resource().create(accept(parseCreate(resource().fields, input)), commandLineActor)

const update = async (item: ClientItem, input: Input): Promise<Outcome<ClientItem>> =>
  await resource().update(item, accept(parseUpdate(resource().fields, input)), commandLineActor)

async function act(item: ClientItem, name: string, input: Input = {}): Promise<Outcome<ClientItem>> {
  const action = resource().actions.find((each) => each.name === name)
  if (action === undefined) throw new Error(`no action ${name}`)
  return await action.run(item, accept(parseInput(action.input, input)), commandLineActor)
}

const get = async (id: string) => {
  const client = await clients().find(id)
  if (client === undefined) throw new Error(`no client ${id}`)
  return client
}

/** Something short-lived of the client, such as a token. */
const leaveArtefact = async (clientId: string): Promise<void> => {
  await opened.storage.db.artefact.createMany({
    data: [{ model: 'AccessToken', id: `token of ${clientId}`, payload: '{}', clientId }],
  })
}
const artefactsOf = (clientId: string): Promise<number> =>
  opened.storage.db.artefact.count({ where: { clientId } })

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : `not an AppError: ${String(error)}`),
  )

const web = { name: 'Shop', kind: 'web', redirectUris: ['https://shop.example/callback'] }
const now = () => opened.clock.now()
const publicKeyOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: 'jwk' })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

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
    ['keys beside a secret', { ...web, authentication: 'client_secret_basic', jwksUri: 'https://shop.example/jwks' }],
  ])('refuses %s', async (_, input) => {
    expect(await codeOf(create(input))).toBe('clients.inconsistent')
  })
})

describe('addresses', () => {
  it.each([
    'https://shop.example/callback?a=1',
    'http://localhost:8080/callback',
    'http://127.0.0.1/callback',
    'http://[::1]:9000/callback',
  ])('takes the redirect URI %s as it is written', async (uri) => {
    const { item } = await create({ ...web, redirectUris: [uri] })
    expect((await get(item.id)).redirectUris).toEqual([uri])
  })

  it.each([
    ['a wildcard', 'https://*.shop.example/callback'],
    ['a wildcard in the path', 'https://shop.example/*'],
    ['a fragment', 'https://shop.example/callback#here'],
    ['an empty fragment', 'https://shop.example/callback#'],
    ['a user name', 'https://shop.example@evil.test/callback'],
    ['an empty user name', 'https://@evil.test/callback'],
    ['javascript', 'javascript:alert(1)'],
    ['javascript in disguise', 'JavaScript:alert(1)'],
    ['data', 'data:text/html,hello'],
    ['plain http', 'http://shop.example/callback'],
    ['a host that begins like localhost', 'http://localhost.evil.test/callback'],
    ['a user name that looks like localhost', 'http://localhost@evil.test/callback'],
    ['a scheme without a dot', 'myapp:/callback'],
    ['a relative one', '/callback'],
    ['one without its slashes', 'https:shop.example'],
    ['a backslash', 'https://shop.example\\@evil.test/'],
    ['a space', 'https://shop.example/call back'],
    ['a line end', 'https://shop.example/\r\nLocation: https://evil.test'],
    ['a NUL byte', 'https://shop.example/\u0000'],
    ['letters that are not ASCII', 'https://shöp.example/'],
    ['a number', 7],
    ['an object', { toString: 'https://shop.example/' }],
    ['a very long one', `https://shop.example/${'a'.repeat(3_000)}`],
  ])('refuses a redirect URI that is %s', async (_, uri) => {
    const given = { ...web, kind: 'native', redirectUris: [uri] }
    expect(await codeOf(create(given))).toBe('input.invalid')
    expect(await codeOf(create({ ...web, postLogoutRedirectUris: [uri] }))).toBe('input.invalid')
  })

  it('refuses lists that are too long or name the same twice', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `https://shop.example/${index}`)
    expect(await codeOf(create({ ...web, redirectUris: many }))).toBe('input.invalid')
    expect(await codeOf(create({ ...web, redirectUris: ['https://a.example/', 'https://a.example/'] }))).toBe(
      'input.invalid',
    )
  })

  it.each(['http://shop.example/logo.png', 'http://localhost/logo.png', 'javascript:alert(1)', 'data:image/png,x'])(
    'refuses %s as an address shown to people',
    async (uri) => {
      for (const field of ['logoUri', 'clientUri', 'policyUri', 'tosUri']) {
        expect(await codeOf(create({ ...web, [field]: uri }))).toBe('input.invalid')
      }
    },
  )

  it.each(['https://app.example/', 'https://app.example/path', 'https://*.app.example', 'null', 'https://APP.example', 'https://app.example:443', 'http://app.example', '*'])(
    'refuses %s as an origin',
    async (origin) => {
      expect(await codeOf(create({ ...web, allowedOrigins: [origin] }))).toBe('input.invalid')
    },
  )

  it('takes origins as browsers send them', async () => {
    const allowedOrigins = ['https://app.example', 'https://app.example:8443', 'http://localhost:5173']
    expect((await create({ ...web, allowedOrigins })).item.allowedOrigins).toEqual(allowedOrigins)
  })
})

describe('names and unknown input', () => {
  it.each(['', '   ', 'Shop\r\nSet-Cookie: a=b', 'Shop\u0000', 'Shop\u202egnp', '\ud800', 'a'.repeat(101), 7, null, {}])(
    'refuses the name %j',
    async (name) => {
      expect(await codeOf(create({ ...web, name }))).toBe('input.invalid')
    },
  )

  it.each([
    ['an unknown field', { ...web, administrator: true }],
    ['a field that only the server sets', { ...web, state: 'disabled' }],
    ['secrets', { ...web, secrets: [] }],
    ['the field of a prototype', { ...web, ['__proto__x']: 1 }],
    ['an unknown kind', { ...web, kind: 'admin' }],
    ['an unknown grant', { ...web, grantTypes: ['password'] }],
    ['an unsigned ID token', { ...web, idTokenAlgorithm: 'none' }],
    ['a scope with a space', { ...web, scopes: ['openid profile'] }],
    ['an identifier with a slash', { ...web, id: '../x' }],
    ['the identifier of the server itself', { ...web, id: 'latchkey' }],
  ])('refuses %s', async (_, input) => {
    expect(await codeOf(create(input))).toBe('input.invalid')
  })

  it('refuses to change what is fixed at creation', async () => {
    const { item } = await create(web)
    expect(await codeOf(update(item, { kind: 'spa' }))).toBe('input.invalid')
    expect(await codeOf(update(item, { id: 'other' }))).toBe('input.invalid')
  })

  it('finds nothing under a key that no client can have', async () => {
    for (const key of ['', '\u0000', 'a\u0000b', '\ud800', "' OR 1=1 --", 'x'.repeat(10_000)]) {
      expect(await clients().find(key)).toBeUndefined()
      expect(await resource().find(key)).toBeUndefined()
    }
  })

  it('refuses an identifier that is taken', async () => {
    await create({ ...web, id: 'shop' })
    expect(await codeOf(create({ ...web, id: 'shop' }))).toBe('clients.id_taken')
  })
})

describe('public keys', () => {
  const withKey = (key: unknown) => create({ name: 'Billing', kind: 'service', jwks: { keys: [key] } })
  const ed = generateKeyPairSync('ed25519')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })

  it('takes RSA, P-256 and Ed25519 and keeps nothing but the public members', async () => {
    for (const pair of [ec, ed, rsa]) {
      const key = publicKeyOf(pair)
      const { item, reveals } = await withKey({ ...key, x5u: 'https://evil.test/', extra: 1 })
      expect(item.authentication).toBe('private_key_jwt')
      expect(reveals).toBeUndefined()
      expect((await get(item.id)).jwks?.keys).toEqual([key])
    }
  })

  it('refuses private and shared keys', async () => {
    for (const pair of [ec, ed, rsa]) {
      expect(await codeOf(withKey(pair.privateKey.export({ format: 'jwk' })))).toBe('input.invalid')
    }
    expect(await codeOf(withKey({ kty: 'oct', k: 'c2VjcmV0' }))).toBe('input.invalid')
    expect(await codeOf(withKey({ ...publicKeyOf(ec), k: 'c2VjcmV0' }))).toBe('input.invalid')
  })

  it('refuses weak, foreign and broken keys', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const offCurve = { ...publicKeyOf(ec), x: Buffer.alloc(32, 1).toString('base64url') }
    for (const key of [publicKeyOf(weak), publicKeyOf(other), offCurve, null, 'key', { kty: 'EC' }]) {
      expect(await codeOf(withKey(key))).toBe('input.invalid')
    }
    expect(await codeOf(withKey({ ...publicKeyOf(ec), alg: 'HS256' }))).toBe('input.invalid')
    expect(await codeOf(withKey({ ...publicKeyOf(ec), use: 'enc' }))).toBe('input.invalid')
  })

  it('refuses an empty set, too many keys and keys without distinct identifiers', async () => {
    const key = publicKeyOf(ec)
    const sets = [[], Array.from({ length: 21 }, (_, kid) => ({ ...key, kid: `${kid}` })), [key, publicKeyOf(ed)]]
    for (const keys of sets) {
      expect(await codeOf(create({ name: 'Billing', kind: 'service', jwks: { keys } }))).toBe('input.invalid')
    }
  })

  it('takes an address of keys by https only', async () => {
    const at = (jwksUri: string) => create({ name: 'Billing', kind: 'service', jwksUri })
    expect((await at('https://billing.example/jwks')).item.authentication).toBe('private_key_jwt')
    expect(await codeOf(at('http://billing.example/jwks'))).toBe('input.invalid')
    expect(await codeOf(at('file:///etc/passwd'))).toBe('input.invalid')
  })
})

describe('secrets', () => {
  it('verifies every secret that has not expired, and no other text', async () => {
    const { item, reveals } = await create(web)
    const added = await act(item, 'add-secret', { label: 'new host', expiresInDays: 1 })
    const client = await get(item.id)
    const [first = '', second = ''] = [reveals?.secret, added.reveals?.secret]
    expect(first).not.toBe(second)
    expect(clients().verifySecret(client, first, now())).toBe(true)
    expect(clients().verifySecret(client, second, now())).toBe(true)
    for (const wrong of ['', 'wrong', `${first} `, first.slice(1), client.secrets[0]?.hash ?? '']) {
      expect(clients().verifySecret(client, wrong, now())).toBe(false)
    }
    const justBefore = new Date(now().getTime() + 86_400_000 - 1)
    const tomorrow = new Date(now().getTime() + 86_400_000)
    expect(clients().verifySecret(client, second, justBefore)).toBe(true)
    expect(clients().verifySecret(client, second, tomorrow)).toBe(false)
    expect(clients().verifySecret(client, first, tomorrow)).toBe(true)
  })

  it('stops a removed secret at once', async () => {
    const { item, reveals } = await create(web)
    expect(clients().verifySecret(await get(item.id), reveals?.secret ?? '', now())).toBe(true)
    const secretId = item.secrets[0]?.id ?? ''
    const { notice } = await act(item, 'remove-secret', { secretId })
    expect(notice).toContain('add-secret')
    expect(clients().verifySecret(await get(item.id), reveals?.secret ?? '', now())).toBe(false)
    expect(await codeOf(act(item, 'remove-secret', { secretId }))).toBe('clients.unknown_secret')
  })

  it('does not remove the secret of another client', async () => {
    const [mine, other] = [await create(web), await create(web)]
    const secretId = other.item.secrets[0]?.id ?? ''
    expect(await codeOf(act(mine.item, 'remove-secret', { secretId }))).toBe('clients.unknown_secret')
    expect(clients().verifySecret(await get(other.item.id), other.reveals?.secret ?? '', now())).toBe(true)
  })

  it('shows no secret and no hash anywhere', async () => {
    const { item, reveals } = await create(web)
    const { reveals: added } = await act(item, 'add-secret', { label: 'second' })
    const client = await get(item.id)
    const audited = await opened.storage.db.auditEvent.findMany({ where: { clientId: item.id } })
    const seen = JSON.stringify([
      await resource().find(item.id),
      await resource().list({ limit: 200 }),
      opened.log.lines,
      audited,
      await update(item, { name: 'Shop 2' }),
    ])
    const hidden = [reveals?.secret, added?.secret, ...client.secrets.map(({ hash }) => hash)]
    expect(hidden).toHaveLength(4)
    for (const text of hidden) expect(seen).not.toContain(text ?? 'missing')
    const rows = JSON.stringify(await opened.storage.db.clientSecret.findMany({ where: { clientId: item.id } }))
    expect(rows).not.toContain(reveals?.secret ?? 'missing')
  })

  it('keeps at most ten, even when twenty are asked for at once', async () => {
    const { item } = await create(web)
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(act(item, 'add-secret'))))
    expect(codes.filter((code) => code === 'no error')).toHaveLength(9)
    expect(codes.filter((code) => code === 'clients.too_many_secrets')).toHaveLength(11)
    expect((await get(item.id)).secrets).toHaveLength(10)
  })

  it('forgets them when the client proves itself otherwise, and makes none for it', async () => {
    const { item } = await create(web)
    const jwks = { keys: [publicKeyOf(ec)] }
    expect((await update(item, { authentication: 'private_key_jwt', jwks })).item.secrets).toEqual([])
    expect(await codeOf(act(item, 'add-secret'))).toBe('clients.uses_no_secret')
    const back = await update(item, { authentication: 'client_secret_post', jwks: null })
    expect(back.item.secrets).toEqual([])
    expect(back.notice).toContain('no secret')
  })
})

describe('changes', () => {
  it('changes what is named and leaves the rest', async () => {
    const { item } = await create({ ...web, firstParty: true, logoUri: 'https://shop.example/logo.png', scopes: ['openid'] })
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

    const contradicting = [{ jwksUri: 'https://shop.example/jwks', authentication: 'private_key_jwt' }, { authentication: 'client_secret_post' }]
    await Promise.all(Array.from({ length: 20 }, (_, index) => codeOf(update(item, contradicting[index % 2] ?? {}))))
    const { authentication, jwksUri } = await get(item.id)
    expect(authentication === 'private_key_jwt').toBe(jwksUri !== undefined)
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
    const first = await get(item.id)
    await expect.poll(async () => (await get(item.id)) === (await get(item.id))).toBe(true)
    await update(item, { name: 'Changed' })
    expect(await get(item.id)).not.toBe(first)
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
    const places = ['x', '', Buffer.from('[1,2]').toString('base64url'), Buffer.from('[1,"\\u0000"]').toString('base64url')]
    for (const after of places) {
      expect(await codeOf(resource().list({ limit: 3, after }))).toBe('page.bad_cursor')
    }
    expect(await codeOf(resource().list({ limit: 3, search: '\u0000' }))).toBe('page.bad_search')
  })
})
