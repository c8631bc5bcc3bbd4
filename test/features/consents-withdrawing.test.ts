import type { KoaContextWithOIDC } from 'oidc-provider'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { loadGrant } from '../../src/provider/grants/grants.ts'
import {
  type Application,
  codeIn,
  errorIn,
  outcomes,
  register,
  times,
  userinfo,
} from '../support/application.ts'
import { countGrants, countOrphans } from '../support/grants.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { tally } from '../support/people.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a different engine 1844' }
const offline = { scope: 'openid email offline_access', prompt: 'consent' }
const silent = { prompt: 'none' }
const by = { actor: commandLineActor }

describe('withdrawing what was allowed', () => {
  let latchkey: RunningLatchkey
  let shop: Application
  let adaId: string
  beforeEach(async () => {
    latchkey = await startLatchkey()
    adaId = await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    shop = await register(latchkey, { firstParty: false, name: 'Shop & Co' })
  })
  afterEach(() => latchkey.close())

  const consents = () => latchkey.app.features.consents.consents
  const applications = (visitor: Visitor): Promise<Page> =>
    visitor.get(`${latchkey.issuer}/account/applications`)
  const withdraw = async (visitor: Visitor, client: string): Promise<Page> =>
    await visitor.submit(await applications(visitor), { client }, { action: '/consents/withdraw' })

  it('ends every token of it at once, in every browser, and it has to ask again', async () => {
    const [here, there] = [newVisitor(), newVisitor()]
    const library = await register(latchkey, { firstParty: false, name: 'Library' })
    const { body: first } = await shop.redeem(await shop.signIn(here, ada, offline))
    const { body: second } = await shop.redeem(await shop.signIn(there, ada, offline))
    const waiting = await shop.signIn(there, ada, { scope: 'openid email' })
    const { body: other } = await library.redeem(await library.signIn(here, ada))
    const page = await applications(here)
    expect(page.text).toContain('Shop &amp; Co')
    expect(page.text).toContain('Library')
    const answer = await withdraw(here, shop.id)
    expect((await here.follow(answer)).text).toContain('Shop &amp; Co has no access any more')
    for (const { access_token: token, refresh_token: refresh } of [first, second]) {
      expect(await userinfo(latchkey, token)).toMatchObject({ status: 401 })
      expect(await shop.introspect(token)).toMatchObject({ body: { active: false } })
      expect(outcomes([await shop.refresh(refresh)])).toEqual({ '400 invalid_grant': 1 })
    }
    expect(outcomes([await shop.redeem(waiting)])).toEqual({ '400 invalid_grant': 1 })
    for (const visitor of [here, there])
      expect(errorIn(await shop.visit(visitor, silent))).toBe('consent_required')
    expect(await userinfo(latchkey, other.access_token)).toMatchObject({ status: 200 })
    expect((await applications(here)).text).not.toContain('Shop &amp; Co')
    expect(await countOrphans(latchkey)).toBe(0)
    const [event] = await latchkey.app.storage.db.auditEvent.findMany({
      where: { action: 'consents.withdrawn' },
    })
    expect(event).toMatchObject({ userId: adaId, clientId: shop.id, actor: `user:${adaId}` })
  })

  it('says what each may see, in words', async () => {
    await latchkey.createApi({
      indicator: 'https://api.example.test',
      name: 'Orders',
      scopes: [{ name: 'orders:read', description: 'See what you ordered' }],
    })
    const buyer = await register(latchkey, {
      firstParty: false,
      name: 'Buyer',
      scopes: ['openid', 'email', 'offline_access', 'orders:read'],
    })
    const visitor = newVisitor()
    const resource = 'https://api.example.test'
    await buyer.signIn(visitor, ada, {
      scope: 'openid email orders:read offline_access',
      prompt: 'consent',
      resource,
    })
    const { text } = await applications(visitor)
    expect(text).toContain('In Orders')
    expect(text).toContain('See what you ordered')
    expect(text).toContain('Keeps its access when you sign out')
    expect(text).not.toContain('orders:read')
  })

  it('shows the operator’s own applications without what nobody was asked about, and ends them, too', async () => {
    const own = await register(latchkey, { name: 'Intranet' })
    const visitor = newVisitor()
    const { body } = await own.redeem(await own.signIn(visitor, ada, { scope: 'openid email' }))
    const { text } = await applications(visitor)
    expect(text).toContain('Part of this service')
    expect(text).not.toContain('It may')
    const answer = await withdraw(visitor, own.id)
    expect((await visitor.follow(answer)).text).toContain('Intranet is signed out.')
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
    expect(codeIn(await own.visit(visitor, silent))).not.toBe('')
  })

  it('touches nobody else, and nothing that the visitor does not have', async () => {
    const [adas, bobs] = [newVisitor(), newVisitor()]
    const { body } = await shop.redeem(await shop.signIn(adas, ada))
    const own = await register(latchkey, { name: 'Intranet' })
    await own.signIn(bobs, bob)
    for (const client of [shop.id, 'nothing', '', '../x'])
      expect((await withdraw(bobs, client)).status).toBe(404)
    expect((await withdraw(bobs, `${shop.id}\0`)).status).toBe(400)
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    const { body: bobsOwn } = await shop.redeem(await shop.signIn(bobs, bob))
    await withdraw(bobs, shop.id)
    expect(await userinfo(latchkey, bobsOwn.access_token)).toMatchObject({ status: 401 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 200 })
    expect(codeIn(await shop.visit(adas, silent))).not.toBe('')
  })

  it('happens once, however many ask at the same time', async () => {
    await shop.signIn(newVisitor(), ada)
    const owner = { userId: adaId, clientId: shop.id }
    const asked = Array.from({ length: 20 }, () => consents().withdraw(owner, by))
    expect(await tally(asked)).toEqual({ success: 1, 'consents.not_found': 19 })
    const { auditEvent } = latchkey.app.storage.db
    expect(await auditEvent.count({ where: { action: 'consents.withdrawn' } })).toBe(1)
  })

  it('leaves nothing to tabs that were using it at that moment', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    // Without its grant each tab makes one anew of what is remembered.
    await latchkey.app.storage.db.artefact.deleteMany({ where: { model: 'Grant' } })
    const visits = times(12, () => shop.visit(visitor.clone(), silent))
    await consents().withdraw({ userId: adaId, clientId: shop.id }, by)
    const pages = await visits
    const answers = await Promise.all(
      pages
        .filter((page) => errorIn(page) === null)
        .map((page) => shop.redeem({ code: codeIn(page), verifier: page.verifier })),
    )
    for (const answer of answers) expect(answer.status).toBe(400)
    expect(await countGrants(latchkey)).toBe(0)
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('is an administrator’s, too, by the command line', async () => {
    const { body } = await shop.redeem(await shop.signIn(newVisitor(), ada))
    const { commands = [] } = latchkey.app.features.consents
    const run = async (verb: string, input: object) =>
      await commands.find(({ words }) => words.join(' ') === `consents ${verb}`)?.run({ ...input })
    const listed = await run('list', { user: ada.email })
    expect(listed?.json).toMatchObject([{ clientId: shop.id, name: 'Shop & Co', scopes: ['openid'] }])
    await run('withdraw', { user: ada.email, client: shop.id })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
    expect((await run('list', { user: adaId }))?.json).toEqual([])
    await expect(run('withdraw', { user: ada.email, client: shop.id })).rejects.toMatchObject({
      code: 'consents.not_found',
    })
    await expect(run('list', { user: 'nobody' })).rejects.toMatchObject({ code: 'users.not_found' })
  })
})

/** As much of the library's request as making a grant looks at. */
function authorizationRequest() {
  const log: string[] = []
  class Grant {
    addOIDCScope(scope: string): void {
      log.push(`allow ${scope}`)
    }
    async save(): Promise<void> {
      log.push('save')
    }
    async destroy(): Promise<void> {
      log.push('destroy')
    }
  }
  const oidc = {
    provider: { Grant },
    client: { clientId: 'shop' },
    session: { grantIdFor: () => undefined },
    account: { accountId: 'ada' },
    requestParamScopes: new Set(['openid']),
    requestParamOIDCScopes: new Set(['openid']),
    requestParamClaims: new Set(),
  }
  return { log, ctx: { oidc } as unknown as KoaContextWithOIDC }
}

it('a grant made of a consent that is withdrawn or narrowed at this very moment does not stay', async () => {
  const consent = { scopes: ['openid'], claims: [], resources: {} }
  const find = async () => consent
  const withdrawn = authorizationRequest()
  expect(await loadGrant(withdrawn.ctx, { find, settled: async () => undefined })).toBeUndefined()
  expect(withdrawn.log).toEqual(['allow openid', 'save', 'destroy'])
  const standing = authorizationRequest()
  expect(await loadGrant(standing.ctx, { find, settled: find })).toBeDefined()
  expect(standing.log).toEqual(['allow openid', 'save'])
  const narrowed = authorizationRequest()
  const settled = async () => ({ ...consent, scopes: [] })
  expect(await loadGrant(narrowed.ctx, { find, settled })).toBeUndefined()
  expect(narrowed.log).toEqual(['allow openid', 'save', 'destroy'])
})
