import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import {
  type Application,
  application,
  codeIn,
  errorIn,
  type Fields,
  register,
  send,
  times,
  walk,
} from '../support/application.ts'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { broughtBy, strictCallback } from '../support/strict-party.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const insecure = { [oauth.allowInsecureRequests]: true }

describe('pushed authorization requests (RFC 9126)', () => {
  let latchkey: RunningLatchkey
  let clock: FixedClock
  let client: CreatedClient
  let shop: Application

  beforeAll(async () => {
    clock = movableClock()
    latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    client = await latchkey.createClient({
      kind: 'web',
      name: 'Shop',
      firstParty: true,
      redirectUris: [strictCallback],
    })
    shop = application(latchkey, client)
  })
  afterAll(() => latchkey.close())

  const push = async (more: Fields = {}) => {
    const { params, verifier } = await shop.begin({ redirect_uri: strictCallback, state: 'pushed', ...more })
    return { ...(await shop.push(params)), verifier }
  }
  const bring = (visitor: Visitor, requestUri: unknown, more: Fields = {}): Promise<Page> =>
    visitor.get(
      `${latchkey.issuer}/auth?${new URLSearchParams({ client_id: shop.id, request_uri: String(requestUri), ...more })}`,
    )
  /** Nobody is asked to sign in, and nothing is given. */
  const isRefused = (page: Page): void => {
    expect(page.location ?? '').not.toMatch(/\/interaction\/|[?&#](code|token)=/)
    expect(page.location === undefined ? page.status : errorIn(page)).toSatisfy(
      (told) => told === 400 || typeof told === 'string',
    )
  }

  it('carry a whole sign-in of a client built on oauth4webapi', async () => {
    const issuer = new URL(latchkey.issuer)
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, insecure),
    )
    expect(server.pushed_authorization_request_endpoint).toBe(`${latchkey.issuer}/request`)
    const me: oauth.Client = { client_id: client.id }
    const proof = oauth.ClientSecretBasic(client.secret)
    const { params, verifier } = await shop.begin({ redirect_uri: strictCallback })
    const answer = await oauth.pushedAuthorizationRequest(
      server,
      me,
      proof,
      new URLSearchParams(params),
      insecure,
    )
    const { request_uri, expires_in } = await oauth.processPushedAuthorizationResponse(server, me, answer)
    expect([answer.status, request_uri.startsWith('urn:ietf:params:oauth:request_uri:')]).toEqual([201, true])
    expect(expires_in).toBe(60)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    const visitor = newVisitor()
    const { location = '' } = await walk(visitor, await bring(visitor, request_uri), ada)
    const given = oauth.validateAuthResponse(server, me, new URL(location), oauth.expectNoState)
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      me,
      proof,
      given,
      strictCallback,
      verifier,
      insecure,
    )
    const { access_token } = await oauth.processAuthorizationCodeResponse(server, me, response)
    expect(access_token).toBeTruthy()
  })

  it('are of the client that pushed them: another one gets nothing by them', async () => {
    const other = await register(latchkey, { redirectUris: [strictCallback] })
    const { body } = await push()
    isRefused(await bring(newVisitor(), body.request_uri, { client_id: other.id }))
    expect((await bring(newVisitor(), body.request_uri)).location).toContain('/interaction/')
  })

  it('give one code, however many browsers bring them at once', async () => {
    const { body } = await push()
    const visitor = newVisitor()
    await walk(visitor, await bring(visitor, (await push()).body.request_uri), ada)
    const pages = await times(20, () => bring(visitor.clone(), body.request_uri))
    const codes = pages.flatMap((page) => broughtBy(page).code ?? [])
    expect(codes).toHaveLength(1)
    isRefused(await bring(visitor, body.request_uri))
  })

  it('give one code, also where several people sign in with them at once', async () => {
    const { body } = await push()
    const visitors = Array.from({ length: 5 }, () => newVisitor())
    const ready = await Promise.all(
      visitors.map(async (visitor) => {
        const page = await visitor.follow(await bring(visitor, body.request_uri))
        return await visitor.submit(
          page,
          { identifier: ada.email, password: ada.password },
          { action: '/password' },
        )
      }),
    )
    const pages = await Promise.all(ready.map((page, index) => visitors[index]?.follow(page)))
    expect(pages.flatMap((page) => (page && broughtBy(page).code) ?? [])).toHaveLength(1)
  })

  it('count by themselves: nothing that a browser adds or changes', async () => {
    const { body, verifier } = await push()
    const visitor = newVisitor()
    const page = await walk(
      visitor,
      await bring(visitor, body.request_uri, {
        state: 'added',
        redirect_uri: 'https://evil.test/',
        response_mode: 'fragment',
        code_challenge: 'a'.repeat(43),
        nonce: 'added',
      }),
      ada,
    )
    const location = new URL(page.location ?? '')
    expect([location.origin + location.pathname, location.hash]).toEqual([strictCallback, ''])
    expect(location.searchParams.get('state')).toBe('pushed')
    const redeemed = await shop.redeem({ code: codeIn(page), verifier }, { redirect_uri: strictCallback })
    expect(redeemed.status).toBe(200)
  })

  it('are checked when they are pushed, as if a browser had brought them', async () => {
    for (const [change, error] of [
      [{ redirect_uri: 'https://evil.test/' }, 'invalid_request'],
      [{ redirect_uri: `${strictCallback}/` }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ scope: 'openid nothing-known' }, undefined],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ prompt: 'dance' }, 'invalid_request'],
      [{ max_age: '-1' }, 'invalid_request'],
      [{ claims: '{' }, 'invalid_request'],
      [{ request_uri: 'urn:ietf:params:oauth:request_uri:other' }, 'request_uri_not_supported'],
      [{ client_id: 'another' }, 'invalid_request'],
    ] as const) {
      const { status, body } = await push(change)
      expect([change, status, body.error]).toEqual([change, error === undefined ? 201 : 400, error])
    }
  })

  it('need the proof of who pushes', async () => {
    const { params } = await shop.begin({ redirect_uri: strictCallback })
    const stranger = application(latchkey, { id: client.id, secret: 'a wrong secret' })
    for (const answer of [await stranger.push(params), await send(latchkey, '/request', { form: params })])
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  })

  it('need no more than a client that keeps no secret has, and PKCE binds its code', async () => {
    const spa = await register(latchkey, { kind: 'spa', redirectUris: [strictCallback] })
    const { params } = await spa.begin({ redirect_uri: strictCallback })
    expect((await spa.push(params)).status).toBe(201)
    const { code_challenge, ...bare } = params
    expect(code_challenge).toHaveLength(43)
    expect((await spa.push(bare)).status).toBe(400)
  })

  it.each([
    ['nobody pushed', 'urn:ietf:params:oauth:request_uri:nothing'],
    ['is empty', 'urn:ietf:params:oauth:request_uri:'],
    ['is an address of somebody else', 'https://evil.test/request.jwt'],
    ['is an address of this machine', 'http://127.0.0.1:1/request.jwt'],
    ['is no address', '%00'],
  ])('that %s give nothing, and nothing is fetched', async (_what, requestUri) => {
    isRefused(await bring(newVisitor(), requestUri))
  })

  it('take a POST alone, of a form', async () => {
    expect((await send(latchkey, '/request')).status).toBeGreaterThanOrEqual(400)
    const sent = await fetch(`${latchkey.issuer}/request`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(sent.status).toBe(400)
  })

  it('of a client that was disabled since give nothing', async () => {
    const { resource } = latchkey.app.features.clients
    const leaving = await register(latchkey, { redirectUris: [strictCallback] })
    const { params } = await leaving.begin({ redirect_uri: strictCallback })
    const { body } = await leaving.push(params)
    const item = await resource.find(leaving.id)
    const disable = resource.actions.find(({ name }) => name === 'disable')
    if (item === undefined || disable === undefined) throw new Error('There is nothing to disable.')
    await disable.run(item, {}, commandLineActor)
    isRefused(await bring(newVisitor(), body.request_uri, { client_id: leaving.id }))
    expect((await leaving.push(params)).status).toBe(401)
  })

  it('last for a minute', async () => {
    const { body } = await push()
    const waiting = newVisitor()
    const begun = await waiting.follow(await bring(waiting, (await push()).body.request_uri))
    clock.advance(76)
    isRefused(await bring(newVisitor(), body.request_uri))
    // Who began in time may take the time to sign in.
    const page = await walk(waiting, begun, ada)
    expect(codeIn(page)).toBeTruthy()
  })
})
