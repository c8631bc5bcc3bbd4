import { describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseUpdate } from '../../src/kernel/input.ts'
import { outcomes, register, userinfo } from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid profile email offline_access', prompt: 'consent' }

async function change({ app }: RunningLatchkey, id: string, input: Record<string, unknown>): Promise<void> {
  const { resource } = app.features.clients
  const item = await resource.find(id)
  if (item === undefined) throw new Error(`There is no client ${id}.`)
  await resource.update(item, accept(parseUpdate(resource.fields, input)), commandLineActor)
}

describe('a client that loses', () => {
  it('a scope loses the tokens that have it', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const { body } = await shop.redeem(await shop.signIn(newVisitor(), ada, offline))
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    await change(latchkey, shop.id, { scopes: ['openid'] })
    expect(outcomes([await shop.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
  })

  it('the trust of a first-party client has to ask the person', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    expect((await shop.visit(visitor, { prompt: 'none' })).location).toContain('code=')
    await change(latchkey, shop.id, { firstParty: false })
    expect((await shop.visit(visitor, { prompt: 'none' })).location).toContain('error=consent_required')
  })

  it('nothing keeps what it has', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const { body } = await shop.redeem(await shop.signIn(newVisitor(), ada))
    await change(latchkey, shop.id, { name: 'A better shop' })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
  })
})

describe('a code that comes again after its time', () => {
  it('ends what it gave when its own client brings it, and nothing when another one does', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const stranger = await register(latchkey, { name: 'Stranger' })
    const code = await shop.signIn(newVisitor(), ada)
    const { body } = await shop.redeem(code)
    clock.advance(61)
    expect(outcomes([await stranger.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    expect(outcomes([await shop.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
  })
})

describe('introspection by a public client', () => {
  it('tells nothing, though the client is registered at the API', async () => {
    await using latchkey = await startLatchkey()
    const app = await register(latchkey, { id: 'board', kind: 'spa', name: 'Board' })
    const api = 'https://api.example.test'
    await latchkey.createApi({
      indicator: api,
      name: 'API',
      tokenFormat: 'opaque',
      scopes: [{ name: 'read', description: 'Read' }],
      introspectors: [app.id],
    })
    const robot = await register(latchkey, {
      kind: 'service',
      redirectUris: [],
      firstParty: false,
      scopes: ['read'],
    })
    const { body } = await robot.credentials({ resource: api, scope: 'read' })
    expect(await robot.introspect(body.access_token)).toMatchObject({ body: { active: true } })
    expect(await app.introspect(body.access_token)).toMatchObject({ body: { active: false } })
  })
})
