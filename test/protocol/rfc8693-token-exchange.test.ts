import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Fields, outcomes, times } from '../support/application.ts'
import { access, type Exchanging, exchanging, jwtApi, opaqueApi } from '../support/exchanges.ts'

describe('token exchange', () => {
  let world: Exchanging

  beforeAll(async () => {
    world = await exchanging()
  })
  afterAll(async () => {
    vi.useRealTimers()
    await world.close()
  })

  describe('as delegation', () => {
    it('gives a token about the person that tells who acts, through openid-client', async () => {
      const { access_token: token } = await world.signIn(opaqueApi)
      const gateway = await world.configured(world.gateway)
      const answer = await openid.genericGrantRequest(gateway, access.grant, {
        subject_token: token,
        subject_token_type: access.type,
        resource: jwtApi,
        scope: 'orders:read',
      })
      expect(answer).toMatchObject({
        issued_token_type: access.type,
        token_type: 'bearer',
        scope: 'orders:read',
      })
      const claims = decodeJwt(answer.access_token)
      expect(claims).toMatchObject({
        sub: world.userId,
        client_id: world.gateway.id,
        aud: jwtApi,
        scope: 'orders:read',
        act: { sub: world.gateway.id },
      })
      expect(answer.refresh_token).toBeUndefined()
      expect(answer.id_token).toBeUndefined()
    })

    it('names the person who acts where the actor token is his, and keeps who acted before', async () => {
      const subject = await world.signIn(opaqueApi)
      const actor = await world.signIn(opaqueApi, { client: world.gatewayApp, person: world.grace })
      const first = await world.exchange(world.gatewayApp, subject.access_token, {
        resource: opaqueApi,
        actor_token: actor.access_token,
        actor_token_type: access.type,
      })
      const act = { sub: world.graceId, client_id: world.gatewayApp.id }
      expect(await world.state(world.gatewayApp, first.body.access_token)).toMatchObject({
        active: true,
        sub: world.userId,
        act,
      })
      const second = await world.exchange(world.backend, first.body.access_token, { resource: opaqueApi })
      expect(await world.state(world.backend, second.body.access_token)).toMatchObject({
        act: { sub: world.backend.id, act },
      })
    })

    it('is bounded: four actors one behind another, and four exchanges', async () => {
      let token = (await world.signIn(opaqueApi)).access_token
      const statuses: number[] = []
      for (const client of [world.gateway, world.backend, world.gateway, world.backend, world.gateway]) {
        const { status, body } = await world.exchange(client, token, { resource: opaqueApi })
        statuses.push(status)
        token = String(body.access_token)
      }
      expect(statuses).toEqual([200, 200, 200, 200, 400])
      let jwt = (await world.signIn(jwtApi)).access_token
      const again: number[] = []
      for (let count = 0; count < 5; count += 1) {
        const { status, body } = await world.exchange(world.speaker, jwt, { resource: jwtApi })
        again.push(status)
        jwt = String(body.access_token)
      }
      expect(again).toEqual([200, 200, 200, 200, 400])
    })
  })

  describe('as impersonation', () => {
    it('gives a token that tells of nobody but the person', async () => {
      const { access_token: token } = await world.signIn(jwtApi)
      const { body } = await world.exchange(world.speaker, token, {
        audience: jwtApi,
        requested_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      })
      expect(body.issued_token_type).toBe('urn:ietf:params:oauth:token-type:jwt')
      const claims = decodeJwt(String(body.access_token))
      expect(claims).toMatchObject({ sub: world.userId, client_id: world.speaker.id, aud: jwtApi })
      expect(claims).not.toHaveProperty('act')
    })

    it('does not make forgotten who acted before', async () => {
      const { access_token: token } = await world.signIn(jwtApi)
      const delegated = await world.exchange(world.gateway, token, { resource: jwtApi })
      const { body } = await world.exchange(world.speaker, delegated.body.access_token, { resource: jwtApi })
      expect(decodeJwt(String(body.access_token)).act).toEqual({ sub: world.gateway.id })
    })

    it('takes no actor token', async () => {
      const { access_token: token } = await world.signIn(jwtApi)
      const own = await world.credentials(world.speaker)
      expect(
        await world.exchange(world.speaker, token, {
          resource: jwtApi,
          actor_token: own,
          actor_token_type: access.type,
        }),
      ).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    })
  })

  describe('narrows', () => {
    it('the scope to what the subject token, the client and the API share', async () => {
      const { access_token: token } = await world.signIn(opaqueApi, { scope: 'orders:read' })
      const all = await world.exchange(world.gateway, token, { resource: opaqueApi })
      expect(all.body.scope).toBe('orders:read')
      for (const scope of ['orders:write', 'orders:read orders:write', 'openid', 'admin', 'orders:delete'])
        expect(await world.exchange(world.gateway, token, { resource: opaqueApi, scope })).toMatchObject({
          status: 400,
          body: { error: 'invalid_scope' },
        })
      const wide = await world.signIn(opaqueApi)
      const narrow = await world.exchange(world.reader, wide.access_token, { resource: opaqueApi })
      expect(narrow.body.scope).toBe('orders:read')
    })

    it('to nothing a token that has no scope at the API', async () => {
      const { access_token: token } = await world.signIn(undefined)
      expect(await world.exchange(world.gateway, token, { resource: opaqueApi })).toMatchObject({
        body: { error: 'invalid_scope' },
      })
      expect(await world.exchange(world.gateway, token)).toMatchObject({ body: { error: 'invalid_target' } })
    })

    it('the lifetime to what is left of the subject token', async () => {
      const { access_token: token } = await world.signIn(opaqueApi)
      vi.setSystemTime(Date.now() + 400_000)
      const { body } = await world.exchange(world.gateway, token, { resource: jwtApi })
      expect(body.expires_in).toBeLessThanOrEqual(200)
      const again = await world.exchange(world.backend, body.access_token, { resource: opaqueApi })
      expect(again.body.expires_in).toBeLessThanOrEqual(200)
      vi.setSystemTime(Date.now() + 201_000)
      for (const spent of [token, body.access_token, again.body.access_token])
        expect(await world.exchange(world.gateway, spent, { resource: jwtApi })).toMatchObject({
          status: 400,
        })
    })

    it('the audience to the APIs that the client may ask for', async () => {
      const { access_token: token } = await world.signIn(opaqueApi)
      const targets: readonly Fields[] = [
        { resource: 'https://other.example.test' },
        { resource: 'https://unknown.example.test' },
        { audience: 'not an address' },
        { resource: opaqueApi, audience: jwtApi },
      ]
      for (const more of targets)
        expect(await world.exchange(world.gateway, token, more)).toMatchObject({
          status: 400,
          body: { error: 'invalid_target' },
        })
    })
  })

  describe('takes an ID token', () => {
    it('of the client itself, for what the person has allowed it', async () => {
      const { id_token: token } = await world.signIn(opaqueApi, { client: world.gatewayApp })
      const more = { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token', resource: opaqueApi }
      const { status, body } = await world.exchange(world.gatewayApp, token, more)
      expect([status, body.scope]).toEqual([200, 'orders:read orders:write'])
      const foreign = await world.signIn(opaqueApi)
      expect(await world.exchange(world.gatewayApp, foreign.id_token, more)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      })
    })

    it('not as an access token, nor an access token as an ID token', async () => {
      const tokens = await world.signIn(jwtApi, { client: world.gatewayApp })
      const as = (type: string) => `urn:ietf:params:oauth:token-type:${type}`
      for (const [token, type] of [
        [tokens.id_token, as('access_token')],
        [tokens.id_token, as('jwt')],
        [tokens.access_token, as('id_token')],
        [tokens.refresh_token, as('access_token')],
        [tokens.refresh_token, as('refresh_token')],
        [tokens.access_token, as('saml2')],
        ['nonsense', as('access_token')],
        ['a.b.c', as('access_token')],
        ['x'.repeat(20_000), as('access_token')],
      ] as const)
        expect(
          await world.exchange(world.gatewayApp, token, { subject_token_type: type, resource: jwtApi }),
        ).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    })
  })

  describe('is refused', () => {
    it('to a client that has no policy, is public or does not prove itself', async () => {
      const { access_token: token } = await world.signIn(opaqueApi)
      expect(await world.exchange(world.plain, token, { resource: opaqueApi })).toMatchObject({ status: 400 })
      expect(await world.exchange(world.publicApp, token, { resource: opaqueApi })).toMatchObject({
        status: 400,
      })
      expect(
        await world.exchange({ id: world.gateway.id, secret: '' }, token, { resource: opaqueApi }),
      ).toMatchObject({ status: 401 })
    })

    it('for tokens of clients and APIs that the client may not take', async () => {
      const { access_token: token } = await world.signIn(opaqueApi, { client: world.otherApp })
      expect(await world.exchange(world.gateway, token, { resource: opaqueApi })).toMatchObject({
        status: 400,
        body: {
          error: 'invalid_request',
          error_description: 'the subject_token is not valid, or this client may not exchange it',
        },
      })
      const { access_token: jwt } = await world.signIn(jwtApi)
      expect(await world.exchange(world.reader, jwt, { resource: opaqueApi })).toMatchObject({ status: 400 })
    })

    it('for tokens that are about no person', async () => {
      const token = await world.credentials(world.gateway)
      expect(await world.exchange(world.gateway, token, { resource: opaqueApi })).toMatchObject({
        status: 400,
      })
    })

    it('with an actor token of another client', async () => {
      const { access_token: token } = await world.signIn(opaqueApi)
      for (const actor of [await world.credentials(world.backend), token])
        expect(
          await world.exchange(world.gateway, token, {
            resource: opaqueApi,
            actor_token: actor,
            actor_token_type: access.type,
          }),
        ).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    })

    it('with half of a pair, or the same twice', async () => {
      const { access_token: token } = await world.signIn(opaqueApi)
      const faults: readonly Fields[] = [
        { subject_token_type: '' },
        { actor_token: 'x' },
        { actor_token_type: access.type },
        { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
        { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      ]
      for (const more of faults)
        expect(await world.exchange(world.gateway, token, { resource: opaqueApi, ...more })).toMatchObject({
          status: 400,
          body: { error: 'invalid_request' },
        })
    })
  })

  it('lets act whom the token names, and nobody else', async () => {
    const { access_token: token } = await world.signIn(opaqueApi, { client: world.guardedApp })
    expect(await world.state(world.guardedApp, token)).toMatchObject({ may_act: { sub: world.backend.id } })
    expect(await world.exchange(world.gateway, token, { resource: opaqueApi })).toMatchObject({ status: 400 })
    const own = await world.credentials(world.gateway)
    const actor = { actor_token: own, actor_token_type: access.type }
    expect(await world.exchange(world.gateway, token, { resource: opaqueApi, ...actor })).toMatchObject({
      status: 400,
    })
    const { status, body } = await world.exchange(world.backend, token, { resource: opaqueApi })
    expect(status).toBe(200)
    // What the first token demanded holds for what came of it.
    expect(await world.exchange(world.gateway, body.access_token, { resource: opaqueApi })).toMatchObject({
      status: 400,
    })
  })

  it('bears twenty at once, each of which is worth as much', async () => {
    const { access_token: token } = await world.signIn(opaqueApi)
    const answers = await times(20, () => world.exchange(world.gateway, token, { resource: opaqueApi }))
    expect(outcomes(answers)).toEqual({ '200': 20 })
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(20)
  })
})
