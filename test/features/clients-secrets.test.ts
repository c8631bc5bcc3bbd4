import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administration, codeOf } from '../support/administration.ts'
import { openParties, type Parties } from '../support/parties.ts'

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
const now = () => opened.clock.now()
const publicKeyOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: 'jwk' })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

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
    const rows = JSON.stringify(
      await opened.storage.db.clientSecret.findMany({ where: { clientId: item.id } }),
    )
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
