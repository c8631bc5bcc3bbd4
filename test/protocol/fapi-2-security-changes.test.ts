import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administration } from '../support/administration.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { refusalOf, strictParty } from '../support/strict-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const profile = 'fapi-2-security'

describe('a client that is given a stricter profile', () => {
  let latchkey: RunningLatchkey

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
  })
  afterAll(() => latchkey.close())

  const strict = async (id: string, changes: Readonly<Record<string, unknown>>) => {
    const { update } = administration(() => latchkey.app.features.clients.resource)
    const item = await latchkey.app.features.clients.resource.find(id)
    if (item === undefined) throw new Error(`There is no client ${id}.`)
    await update(item, changes)
  }
  const usual = { idTokenAlgorithm: 'ES256', scopes: ['openid', 'offline_access'] }

  it('loses what it was given without proof of a key', async () => {
    const shop = await strictParty(latchkey, usual)
    const given = await shop.redeem(
      await shop.signIn(newVisitor(), ada, { scope: 'openid offline_access' }),
      {
        dpop: null,
      },
    )
    const code = await shop.signIn(newVisitor(), ada)
    expect(given.body.token_type).toBe('Bearer')
    await strict(shop.id, { profile })
    const bearer = { authorization: `Bearer ${String(given.body.access_token)}` }
    expect((await fetch(`${latchkey.issuer}/me`, { headers: bearer })).status).toBe(401)
    const refresh = { grant_type: 'refresh_token', refresh_token: String(given.body.refresh_token) }
    expect((await shop.token(refresh)).body.error).toBe('invalid_grant')
    expect((await shop.redeem(code)).body.error).toBe('invalid_grant')
  })

  it('gets no code for a request that somebody brought before', async () => {
    const shop = await strictParty(latchkey, usual)
    const { params } = await shop.begin()
    const visitor = newVisitor()
    const page = await visitor.follow(await shop.visit(visitor, params))
    await strict(shop.id, { profile })
    const answer = await visitor.submit(
      page,
      { identifier: ada.email, password: ada.password },
      { action: '/password' },
    )
    const last = await visitor.follow(answer)
    expect(last.location ?? '').not.toContain('code=')
  })

  it('gets no code for what it pushed unsigned before requests have to be signed', async () => {
    const shop = await strictParty(latchkey, usual)
    for (const changes of [{ profile: 'fapi-2-message-signing' }, { requireSignedRequestObject: true }]) {
      await strict(shop.id, { profile: null, requireSignedRequestObject: null })
      const { params } = await shop.begin({ response_mode: 'jwt' })
      const query = await shop.pushed(params)
      await strict(shop.id, changes)
      const page = await shop.visit(newVisitor(), query)
      expect([changes, page.status, page.location]).toEqual([changes, 400, undefined])
      expect(refusalOf(page).description).toContain('The application sent a request that cannot be accepted')
      // Its own demand is not its profile's.
      const reason = page.text.includes('as the client demands of itself')
      expect([changes, reason]).toEqual([changes, changes.requireSignedRequestObject === true])
    }
  })
})
