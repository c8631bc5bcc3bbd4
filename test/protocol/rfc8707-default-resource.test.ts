import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { codeOf } from '../support/administration.ts'
import { approve, registerDevice } from '../support/devices.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery staple' }
const database = 'https://postgres.example.test'
const other = 'https://other.example.test'

describe('the API of a client whose requests name none', () => {
  let latchkey: RunningLatchkey

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    for (const indicator of [database, other])
      await latchkey.createApi({
        indicator,
        name: 'Database',
        tokenFormat: 'jwt',
        scopes: [{ name: 'login', description: 'Use it' }],
      })
  })
  afterAll(() => latchkey.close())

  async function tokenOf(
    client: Readonly<Record<string, unknown>>,
    request: Readonly<Record<string, string>>,
  ) {
    const device = await registerDevice(latchkey, { scopes: ['openid', 'login'], ...client })
    const asked = await device.begin(request)
    await approve(newVisitor(), asked, ada)
    return (await device.poll(asked)).body
  }

  it('is that of its registration, with the scopes that it may have there', async () => {
    const { access_token: token } = await tokenOf({ defaultResource: database }, { scope: 'login' })
    expect(decodeJwt(String(token))).toMatchObject({ aud: database, scope: 'login' })
  })

  it('is the one that a request names nevertheless', async () => {
    const request = { scope: 'login', resource: other }
    const { access_token: token } = await tokenOf({ defaultResource: database }, request)
    expect(decodeJwt(String(token)).aud).toBe(other)
  })

  it('is left aside with openid, where the token is for userinfo', async () => {
    const { access_token: token } = await tokenOf({ defaultResource: database }, { scope: 'openid login' })
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${latchkey.issuer}/me`, { headers })).status).toBe(200)
  })

  it('gives nothing that the client may not have', async () => {
    const device = await registerDevice(latchkey, { scopes: ['openid'], defaultResource: database })
    expect((await device.ask({ scope: 'openid' })).body).toMatchObject({ error: 'invalid_target' })
  })

  it('cannot be chosen by a client that registers itself', async () => {
    await using open = await startLatchkey({
      environment: { LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open' },
    })
    const response = await fetch(`${open.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: ['http://127.0.0.1:9999/callback'],
        token_endpoint_auth_method: 'none',
        default_resource: database,
      }),
    })
    const { client_id: id } = (await response.json()) as { client_id: string }
    expect(response.status).toBe(201)
    expect((await open.app.features.clients.clients.find(id))?.defaultResource).toBeUndefined()
  })

  describe('has to be one that gives tokens', () => {
    const spare = 'https://spare.example.test'
    const administered = (indicator: string) => {
      const { resource } = latchkey.app.features.resources
      const act = async (name: string) => {
        const item = await found(resource, indicator)
        const action = resource.actions.find((each) => each.name === name)
        if (action === undefined) throw new Error(`There is no ${name}.`)
        return await action.run(item, {}, commandLineActor)
      }
      const remove = async () => await resource.delete(await found(resource, indicator), commandLineActor)
      return { act, remove }
    }
    const update = async (id: string, input: Readonly<Record<string, unknown>>) => {
      const { resource } = latchkey.app.features.clients
      return await resource.update(await found(resource, id), input, commandLineActor)
    }
    const create = (input: Readonly<Record<string, unknown>>) =>
      latchkey.createClient({ kind: 'service', name: 'Importer', scopes: ['login'], ...input })

    beforeAll(async () => {
      await latchkey.createApi({ indicator: spare, name: 'Spare', scopes: [{ name: 'login' }] })
    })

    it('when a client is made, and when it is changed', async () => {
      const unknown = 'clients.unknown_default_resource'
      const nowhere = { defaultResource: 'https://nowhere.example.test' }
      expect(await codeOf(create(nowhere))).toBe(unknown)
      await expect(create(nowhere)).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('Create the resource first'),
      })
      const { id } = await create({ defaultResource: spare })
      expect(await codeOf(update(id, nowhere))).toBe(unknown)
      expect(await codeOf(update(id, { defaultResource: `${database}/` }))).toBe(unknown)
      expect((await update(id, { defaultResource: database })).item.defaultResource).toBe(database)
      expect((await update(id, { defaultResource: null })).item.defaultResource).toBeUndefined()
    })

    it('and is not disabled, while one that was disabled later stops no other change', async () => {
      const { id } = await create({ defaultResource: spare })
      const { act } = administered(spare)
      await act('disable')
      await expect(create({ defaultResource: spare })).rejects.toMatchObject({
        code: 'clients.unknown_default_resource',
        message: expect.stringContaining('Enable the resource first'),
      })
      expect((await update(id, { name: 'Other', defaultResource: spare })).item.name).toBe('Other')
      await act('enable')
      expect(await codeOf(create({ defaultResource: spare }))).toBe('no error')
    })

    it('and is not deleted as long as it is one; who disables it is told whose', async () => {
      const indicator = 'https://leaving.example.test'
      await latchkey.createApi({ indicator, name: 'Leaving', scopes: [{ name: 'login' }] })
      const [first, second] = [
        await create({ id: 'first', defaultResource: indicator }),
        await create({ id: 'second', defaultResource: indicator }),
      ]
      const { act, remove } = administered(indicator)
      await expect(remove()).rejects.toMatchObject({
        code: 'resources.is_default',
        status: 409,
        message: expect.stringContaining('The clients first, second name it as their defaultResource'),
      })
      expect((await act('disable')).notice).toContain('The clients first, second name it')
      expect((await act('enable')).notice).toBeUndefined()
      await update(first.id, { defaultResource: null })
      expect((await act('disable')).notice).toContain('The client second names it as its defaultResource')
      await update(second.id, { defaultResource: database })
      expect((await act('disable')).notice).toBeUndefined()
      await remove()
      expect(await latchkey.app.features.resources.resource.find(indicator)).toBeUndefined()
    })
  })
})

async function found<Item extends { readonly id: string }>(
  { find }: { find(key: string): Promise<Item | undefined> },
  key: string,
): Promise<Item> {
  const item = await find(key)
  if (item === undefined) throw new Error(`There is no ${key}.`)
  return item
}
