import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Application, errorIn, outcomes, register, times, userinfo } from '../support/application.ts'
import { countOrphans } from '../support/grants.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a different engine 1844' }
const indicator = 'https://api.example.test'
const asked = {
  scope: 'openid email profile offline_access orders:read orders:write',
  prompt: 'consent',
  resource: indicator,
}

describe('narrowing what was allowed', () => {
  let latchkey: RunningLatchkey
  let shop: Application
  let adaId: string
  beforeEach(async () => {
    latchkey = await startLatchkey()
    adaId = await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    await latchkey.createApi({
      indicator,
      name: 'Orders',
      tokenFormat: 'opaque',
      scopes: [
        { name: 'orders:read', description: 'See your orders' },
        { name: 'orders:write', description: 'Change your orders' },
      ],
    })
    shop = await register(latchkey, {
      firstParty: false,
      name: 'Shop & Co',
      scopes: ['openid', 'email', 'profile', 'offline_access', 'orders:read', 'orders:write'],
    })
  })
  afterEach(() => latchkey.close())

  const page = (visitor: Visitor): Promise<Page> =>
    visitor.get(`${latchkey.issuer}/account/applications/consents/narrow?client=${shop.id}`)

  it('keeps what was left ticked, ends the tokens of before, and asks again for what was taken', async () => {
    const visitor = newVisitor()
    const { body: before } = await shop.redeem(await shop.signIn(visitor, ada, asked), {
      resource: indicator,
    })
    const form = await page(visitor)
    expect(form.text).toContain('See your orders')
    expect(form.text).toContain('Change your orders')
    expect(form.text).not.toContain('name="scope openid"')
    const saved = await visitor.follow(
      await visitor.submit(
        form,
        { 'scope email': 'yes', [`api ${indicator} orders:read`]: 'yes' },
        { action: '/narrow' },
      ),
    )
    expect(saved.text).toContain('Shop &amp; Co may do less from now on.')
    expect(await latchkey.app.features.consents.consents.find(adaId, shop.id)).toEqual({
      scopes: ['openid', 'email'],
      claims: [],
      resources: { [indicator]: ['orders:read'] },
    })
    expect(await shop.introspect(before.access_token)).toMatchObject({ body: { active: false } })
    expect(outcomes([await shop.refresh(before.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await countOrphans(latchkey)).toBe(0)

    const silent = await shop.visit(visitor, { scope: 'openid email', prompt: 'none' })
    expect(errorIn(silent)).toBeNull()
    const more = await shop.visit(visitor, { scope: 'openid profile', prompt: 'none' })
    expect(errorIn(more)).toBe('consent_required')
    const event = await latchkey.app.storage.db.auditEvent.findMany({
      where: { action: 'consents.narrowed' },
    })
    expect(event).toMatchObject([{ userId: adaId, clientId: shop.id, actor: `user:${adaId}` }])
  })

  it('never adds anything, whatever the form says', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada, { scope: 'openid email', prompt: 'consent' })
    const form = await page(visitor)
    const forged = {
      'scope profile': 'yes',
      'claim birthdate': 'yes',
      [`api ${indicator} orders:write`]: 'yes',
    }
    await visitor.submit(form, { ...forged, 'scope email': 'yes', 'api ': 'yes' }, { action: '/narrow' })
    expect(await latchkey.app.features.consents.consents.find(adaId, shop.id)).toEqual({
      scopes: ['openid', 'email'],
      claims: [],
      resources: {},
    })
  })

  it('is nothing to another person, nor of our own applications', async () => {
    const [hers, his] = [newVisitor(), newVisitor()]
    await shop.signIn(hers, ada, asked)
    const own = await register(latchkey, { name: 'Our own' })
    await own.signIn(his, bob)
    const foreign = await page(his)
    expect(foreign.status).toBe(404)
    const list = await his.get(`${latchkey.issuer}/account/applications`)
    expect(list.text).not.toContain('/consents/narrow')
    const forged = await his.post(`${latchkey.issuer}/account/applications/consents/narrow`, {
      _csrf: /name="_csrf" value="([^"]+)"/.exec(list.text)?.[1] ?? '',
      client: shop.id,
    })
    expect(forged.status).toBe(404)
    expect((await latchkey.app.features.consents.consents.find(adaId, shop.id))?.scopes).toContain('profile')
  })

  it('holds against tokens that are being made at the same time', async () => {
    const visitor = newVisitor()
    const { body } = await shop.redeem(await shop.signIn(visitor, ada, asked), { resource: indicator })
    const form = await page(visitor)
    const [, refreshed] = await Promise.all([
      visitor.clone().submit(form, { 'scope email': 'yes' }, { action: '/narrow' }),
      times(8, () => shop.refresh(body.refresh_token)),
    ])
    for (const { body: tokens } of refreshed)
      if (typeof tokens.access_token === 'string')
        expect(await userinfo(latchkey, tokens.access_token)).toMatchObject({ status: 401 })
    expect(await countOrphans(latchkey)).toBe(0)
  })
})
