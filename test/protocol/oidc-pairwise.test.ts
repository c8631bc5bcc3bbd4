import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { codeOf } from '../support/administration.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, callbackUrl, discover, type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { type SectorServer, startSectorServer } from '../support/sector-server.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const eve = { email: 'eve@example.test', name: 'Eve', password: 'a wholly different phrase' }
const pairwise = { subjectType: 'pairwise', firstParty: true }
const elsewhere = 'http://localhost:8888/callback'

describe('pairwise subjects (OpenID Connect Core 1.0 §8)', () => {
  let latchkey: RunningLatchkey
  let sector: SectorServer
  let userId: string
  let shop: RelyingParty

  beforeAll(async () => {
    sector = await startSectorServer()
    latchkey = await startLatchkey({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' } })
    userId = await latchkey.createUser(ada)
    await latchkey.createUser(eve)
    shop = await relyingParty(latchkey, pairwise)
  })
  afterAll(async () => {
    await latchkey.close()
    await sector.close()
  })

  const subOf = async (party: RelyingParty, person = ada, visitor: Visitor = newVisitor()): Promise<string> =>
    (await party.signIn(visitor, person)).claims()?.sub ?? ''

  it('say nothing of whose they are, and are the same each time', async () => {
    const sub = await subOf(shop)
    expect(sub).toMatch(/^[\w-]{43}$/)
    expect(sub).not.toContain(userId)
    expect(await subOf(shop)).toBe(sub)
    expect(await subOf(shop, eve)).not.toBe(sub)
  })

  it('differ between sectors, and are shared within one', async () => {
    const sibling = await relyingParty(latchkey, { ...pairwise, redirectUris: [`${callbackUrl}/other`] })
    const stranger = await relyingParty(latchkey, { ...pairwise, redirectUris: [elsewhere] })
    const open = await relyingParty(latchkey, { firstParty: true })
    const [own, same, other, known] = [
      await subOf(shop),
      await subOf(sibling),
      await subOf(stranger),
      await subOf(open),
    ]
    expect(same).toBe(own)
    expect(other).not.toBe(own)
    expect(known).toBe(userId)
  })

  it('are the same wherever the client hears of the person', async () => {
    const party = await relyingParty(latchkey, { ...pairwise, userinfoSignedResponseAlg: 'ES256' })
    const tokens = await party.signIn(newVisitor(), ada, { scope: 'openid offline_access email' })
    const sub = tokens.claims()?.sub
    const me = await fetch(`${latchkey.issuer}/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(decodeJwt(await me.text()).sub).toBe(sub)
    for (const token of [tokens.access_token, tokens.refresh_token ?? ''])
      expect((await openid.tokenIntrospection(party.configuration, token)).sub).toBe(sub)
    const refreshed = await openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '')
    expect(refreshed.claims()?.sub).toBe(sub)
  })

  it('are what APIs hear, too: in the token, and asked about it', async () => {
    const api = 'https://orders.example.test'
    const opaque = 'https://stock.example.test'
    const asking = await latchkey.createClient({ kind: 'service', name: 'API' })
    const configuration = await discover(latchkey.issuer, asking.id, openid.ClientSecretBasic(asking.secret))
    const introspectors = [asking.id]
    await latchkey.createApi({ indicator: api, name: 'Orders', scopes: [{ name: 'orders' }], introspectors })
    await latchkey.createApi({
      indicator: opaque,
      name: 'Stock',
      scopes: [{ name: 'stock' }],
      introspectors,
      tokenFormat: 'opaque',
    })
    const party = await relyingParty(latchkey, {
      ...pairwise,
      scopes: ['openid', 'profile', 'email', 'orders', 'stock'],
    })
    const sub = await subOf(party)
    const refresh = async (resource: string, scope: string) => {
      const tokens = await party.signIn(newVisitor(), ada, { scope: `openid ${scope}`, resource })
      const forApi = await openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '', {
        resource,
        scope,
      })
      return forApi.access_token
    }
    expect(decodeJwt(await refresh(api, 'orders')).sub).toBe(sub)
    const asked = await openid.tokenIntrospection(configuration, await refresh(opaque, 'stock'))
    expect([asked.active, asked.sub]).toEqual([true, sub])
  })

  it('outlive every change of keys, and a restart', async () => {
    await using first = await startLatchkey()
    await first.createUser(ada)
    const party = await relyingParty(first, pairwise)
    const sub = await subOf(party)
    const rotate = first.app.features.signingKeys.commands?.find(
      ({ words }) => words.join(' ') === 'keys rotate',
    )
    await rotate?.run({ immediately: true })
    const kid = JSON.stringify(await (await fetch(`${first.issuer}/jwks`)).json())
    await vi.waitFor(async () =>
      expect(JSON.stringify(await (await fetch(`${first.issuer}/jwks`)).json())).toBe(kid),
    )
    expect(await subOf(party)).toBe(sub)
    await using again = await startLatchkey({ databaseUrl: first.databaseUrl })
    const configuration = await discover(
      again.issuer,
      party.client.id,
      openid.ClientSecretBasic(party.client.secret),
    )
    expect(configuration.serverMetadata().subject_types_supported).toEqual(['public', 'pairwise'])
    const tokens = await (await relyingParty(again, pairwise)).signIn(newVisitor(), ada)
    expect(tokens.claims()?.sub).toBe(sub)
  })

  describe('come back', () => {
    const silently = async (visitor: Visitor, party: RelyingParty, more: Readonly<Record<string, string>>) =>
      answered((await visitor.get((await party.request({ prompt: 'none', ...more })).url)).location)
    const wanted = (sub: string) => JSON.stringify({ id_token: { sub: { value: sub } } })

    it('in hints and in the claims parameter, for the person that they are', async () => {
      const visitor = newVisitor()
      const tokens = await shop.signIn(visitor, ada)
      const theirs = await shop.signIn(newVisitor(), eve)
      expect(await silently(visitor, shop, { id_token_hint: tokens.id_token ?? '' })).toHaveProperty('code')
      expect(await silently(visitor, shop, { id_token_hint: theirs.id_token ?? '' })).toMatchObject({
        error: 'login_required',
      })
      expect(await silently(visitor, shop, { claims: wanted(tokens.claims()?.sub ?? '') })).toHaveProperty(
        'code',
      )
      for (const sub of [theirs.claims()?.sub ?? '', userId])
        expect(await silently(visitor, shop, { claims: wanted(sub) })).toMatchObject({
          error: 'login_required',
        })
    })

    it('at the end of a session, where nobody is asked whose it is', async () => {
      const visitor = newVisitor()
      const tokens = await shop.signIn(visitor, ada)
      const address = (hint: string) =>
        `${latchkey.issuer}/session/end?${new URLSearchParams({ id_token_hint: hint, client_id: shop.client.id })}`
      const theirs = await shop.signIn(newVisitor(), eve)
      const asked = await visitor.get(address(theirs.id_token ?? ''))
      const confirmed = await visitor.get(address(tokens.id_token ?? ''))
      // Whoever knows the session signs out at once; the page of everybody else has two buttons.
      expect(asked.text.match(/<button/g)?.length).toBeGreaterThan(
        confirmed.text.match(/<button/g)?.length ?? 9,
      )
    })
  })

  describe('of a sector of several hosts', () => {
    const uris = [callbackUrl, elsewhere]
    const group = (input: Readonly<Record<string, unknown>> = {}) =>
      relyingParty(latchkey, { ...pairwise, redirectUris: uris, sectorIdentifierUri: sector.url, ...input })

    it('are shared by all its clients, and differ from those of the hosts alone', async () => {
      sector.publish([...uris, 'http://localhost:7777/callback'])
      const first = await group()
      const second = await group({ redirectUris: ['http://localhost:7777/callback'] })
      expect(await subOf(first)).toBe(await subOf(second))
      expect(await subOf(first)).not.toBe(await subOf(shop))
      // The sector is asked when a client is made or changed; that it is away stops nobody from signing in.
      sector.publish('gone', 404)
      expect(await subOf(first)).toBe(await subOf(second))
    })

    it.each<[string, unknown, number | undefined]>([
      ['does not list the redirect URI', [callbackUrl], undefined],
      ['lists nothing', [], undefined],
      ['is no list', { redirect_uris: uris }, undefined],
      ['lists what is no text', [...uris, 1], undefined],
      ['is no JSON', 'hello', undefined],
      ['is away', uris, 500],
      ['leads elsewhere', uris, 302],
      ['is larger than anybody reads', [...uris, 'x'.repeat(100_000)], undefined],
    ])('are refused where the document %s', async (_what, body, status) => {
      sector.publish(body, status)
      expect(await codeOf(group())).toBe('clients.sector_unproven')
    })

    it('are refused at a change, too', async () => {
      sector.publish(uris)
      const party = await group()
      sector.publish(uris)
      const { resource } = latchkey.app.features.clients
      const item = await resource.find(party.client.id)
      if (item === undefined) throw new Error('gone')
      const change = (redirectUris: readonly string[]) =>
        resource.update(item, { redirectUris }, commandLineActor)
      expect(await codeOf(change([...uris, 'https://evil.example/callback']))).toBe('clients.sector_unproven')
      expect(await codeOf(change([callbackUrl]))).toBe('no error')
    })

    it('are never asked for at a private address', async () => {
      await using guarded = await startLatchkey()
      sector.publish(uris)
      const before = sector.connections()
      for (const uri of [
        sector.url,
        'https://127.0.0.1:1/s',
        'https://169.254.169.254/latest/meta-data',
        'https://[::ffff:127.0.0.1]/s',
        'https://2130706433/s',
      ]) {
        const input = { ...pairwise, redirectUris: uris, sectorIdentifierUri: uri }
        expect(await codeOf(relyingParty(guarded, input))).toBe('clients.sector_unproven')
      }
      expect(sector.connections()).toBe(before)
    })
  })

  it('end what a client holds when it begins to know people by them', async () => {
    const party = await relyingParty(latchkey, { firstParty: true })
    const tokens = await party.signIn(newVisitor(), ada, { scope: 'openid offline_access' })
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(party.client.id)
    if (item === undefined) throw new Error('gone')
    await resource.update(item, { subjectType: 'pairwise' }, commandLineActor)
    await expect(
      openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })
})
