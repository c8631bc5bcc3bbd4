import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { access, ada, type Exchanging, exchanging, jwtApi, opaqueApi } from '../support/exchanges.ts'
import type { Tokens } from '../support/relying-party.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

interface Given {
  readonly world: Exchanging
  readonly visitor: Visitor
  readonly tokens: Tokens
}

/** How the person, or one of the clients, loses what an exchanged token stands on. */
const losses: Readonly<Record<string, (given: Given) => Promise<unknown>>> = {
  'the person is disabled': async ({ world }) => {
    const { resource } = world.latchkey.app.features.users
    const item = await resource.find(world.userId)
    if (item === undefined) throw new Error('The person is gone.')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
  },
  'everything of the person ends, as when a password is reset': ({ world: { latchkey, userId } }) =>
    latchkey.app.storage.transaction((db) => latchkey.app.artefacts.endEverythingOfUser(db, userId)),
  'his other sessions end, as when he changes his password': ({ world: { latchkey, userId } }) =>
    latchkey.app.storage.transaction((db) => latchkey.app.artefacts.endOthersOfUser(db, userId, {})),
  'his session ends': async ({ world: { latchkey, userId } }) => {
    const sessions = await latchkey.app.artefacts.sessionsOfUser(userId)
    await latchkey.app.storage.transaction(async (db) => {
      for (const { uid } of sessions)
        await latchkey.app.artefacts.endSession(db, uid, { offlineAccess: true })
    })
  },
  'he withdraws what he allowed the client': ({ world: { latchkey, userId, shop } }) =>
    latchkey.app.storage.transaction((db) =>
      latchkey.app.artefacts.endClientOfUser(db, userId as UserId, shop.id),
    ),
  'the client that he signed in to is disabled': ({ world }) => world.act(world.shop, 'disable'),
  'the client that exchanged it is disabled and enabled again': async ({ world }) => {
    await world.act(world.gateway, 'disable')
    await world.act(world.gateway, 'enable')
  },
  'the subject token is revoked': async ({ world, tokens }) =>
    openid.tokenRevocation(await world.configured(world.shop), tokens.access_token),
}

describe.each([
  ['opaque', opaqueApi],
  ['JWT', jwtApi],
])('an exchanged %s token', (_format, api) => {
  it.each(Object.entries(losses))('ends when %s', async (what, lose) => {
    const world = await exchanging()
    const visitor = newVisitor()
    const tokens = await world.signIn(api, { visitor })
    const { body } = await world.exchange(world.gateway, tokens.access_token, { resource: api })
    const second = await world.exchange(world.gateway, body.access_token, { resource: api })
    expect(await world.state(world.gateway, second.body.access_token)).toMatchObject({ active: true })
    await lose({ world, visitor, tokens })
    for (const token of [body.access_token, second.body.access_token]) {
      expect(await world.state(world.gateway, token)).toEqual({ active: false })
      expect((await world.exchange(world.gateway, token, { resource: api })).status).toBe(400)
    }
    const subject = await world.exchange(world.gateway, tokens.access_token, { resource: api })
    // What the exchanging client loses is its own.
    expect(subject.status).toBe(what.startsWith('the client that exchanged') ? 200 : 400)
    await world.close()
  })
})

describe('an exchanged token', () => {
  let world: Exchanging

  beforeAll(async () => {
    world = await exchanging()
  })
  afterAll(async () => {
    vi.useRealTimers()
    await world.close()
  })

  it('ends with a session that nobody uses any more', async () => {
    const visitor = newVisitor()
    const tokens = await world.signIn(opaqueApi, { visitor })
    const { body } = await world.exchange(world.gateway, tokens.access_token, { resource: opaqueApi })
    await world.latchkey.app.storage.db.artefact.updateMany({
      where: { model: 'Session', userId: world.userId },
      data: { expiresAt: new Date(0) },
    })
    expect(await world.state(world.gateway, body.access_token)).toEqual({ active: false })
    expect((await world.exchange(world.gateway, tokens.access_token, { resource: opaqueApi })).status).toBe(
      400,
    )
  })

  it.each([opaqueApi, jwtApi])('for %s ends alone when its own client revokes it', async (api) => {
    const tokens = await world.signIn(api)
    const first = await world.exchange(world.gateway, tokens.access_token, { resource: api })
    const second = await world.exchange(world.gateway, tokens.access_token, { resource: api })
    await openid.tokenRevocation(await world.configured(world.gateway), String(first.body.access_token))
    expect(await world.state(world.gateway, first.body.access_token)).toEqual({ active: false })
    expect(await world.state(world.gateway, second.body.access_token)).toMatchObject({ active: true })
    expect(await world.state(world.shop, tokens.access_token)).toMatchObject({ active: true })
  })

  it('cannot be revoked or introspected by the client whose token was exchanged', async () => {
    const tokens = await world.signIn(opaqueApi)
    const { body } = await world.exchange(world.gateway, tokens.access_token, { resource: opaqueApi })
    await openid.tokenRevocation(await world.configured(world.shop), String(body.access_token))
    expect(await world.state(world.shop, body.access_token)).toEqual({ active: false })
    expect(await world.state(world.gateway, body.access_token)).toMatchObject({ active: true })
  })

  it('is stored without its value and without a readable reference in a JWT', async () => {
    const tokens = await world.signIn(jwtApi)
    const { body } = await world.exchange(world.gateway, tokens.access_token, { resource: jwtApi })
    const grants = await world.latchkey.app.storage.db.artefact.findMany({
      where: { userId: world.userId, grantId: { not: null } },
      select: { grantId: true },
    })
    const text = Buffer.from(String(body.access_token).split('.')[1] ?? '', 'base64url').toString()
    for (const { grantId } of grants) expect(text).not.toContain(grantId)
  })

  it('of an ID token ends with the session, too', async () => {
    const tokens = await world.signIn(opaqueApi, { client: world.gatewayApp })
    const more = { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token', resource: opaqueApi }
    const { body } = await world.exchange(world.gatewayApp, tokens.id_token, more)
    expect(await world.state(world.gatewayApp, body.access_token)).toMatchObject({ active: true })
    const { artefacts, storage } = world.latchkey.app
    for (const { uid } of await artefacts.sessionsOfUser(world.userId))
      await storage.transaction((db) => artefacts.endSession(db, uid, { offlineAccess: false }))
    expect(await world.state(world.gatewayApp, body.access_token)).toEqual({ active: false })
    expect((await world.exchange(world.gatewayApp, tokens.id_token, more)).status).toBe(400)
  })
})

describe('a token that is bound to a key', () => {
  it('is exchanged by whoever has the key, and what comes of it is bound to the same', async () => {
    const world = await exchanging()
    const key = await openid.randomDPoPKeyPair('ES256')
    const other = await openid.randomDPoPKeyPair('ES256')
    const shop = await world.configured(world.shop)
    const tokens = await world.signIn(opaqueApi, { options: { DPoP: openid.getDPoPHandle(shop, key) } })
    expect(tokens.token_type).toBe('dpop')
    const gateway = await world.configured(world.gateway)
    const parameters = {
      subject_token: tokens.access_token,
      subject_token_type: access.type,
      resource: jwtApi,
    }
    const exchange = (options?: openid.DPoPOptions) =>
      openid.genericGrantRequest(gateway, access.grant, parameters, options)
    await expect(exchange()).rejects.toMatchObject({ error: 'invalid_request' })
    await expect(exchange({ DPoP: openid.getDPoPHandle(gateway, other) })).rejects.toMatchObject({
      error: 'invalid_request',
    })
    const exchanged = await exchange({ DPoP: openid.getDPoPHandle(gateway, key) })
    expect(exchanged.token_type).toBe('dpop')
    const before = await world.state(world.shop, tokens.access_token)
    const after = await world.state(world.gateway, exchanged.access_token)
    expect((after.cnf as { jkt: string }).jkt).toBe((before.cnf as { jkt: string }).jkt)
    expect((await world.exchange(world.gateway, exchanged.access_token, { resource: jwtApi })).status).toBe(
      400,
    )
    await world.close()
  })

  it('is what a client gets that has to have one', async () => {
    const world = await exchanging()
    const { resource } = world.latchkey.app.features.clients
    const item = await resource.find(world.gateway.id)
    if (item === undefined) throw new Error('The client is gone.')
    await resource.update(item, { dpopBoundAccessTokens: true }, commandLineActor)
    const { access_token: token } = await world.signIn(opaqueApi, { person: ada })
    expect((await world.exchange(world.gateway, token, { resource: opaqueApi })).status).toBe(400)
    await world.close()
  })
})
