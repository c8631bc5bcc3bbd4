import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import {
  ada,
  bank,
  type DetailHouse,
  openDetailHouse,
  payment,
  reading,
  requestOf,
  shelf,
} from '../support/authorization-details.ts'
import type { RunningLatchkey } from '../support/latchkey.ts'
import {
  answered,
  isConsent,
  type RelyingParty,
  relyingParty,
  walkThrough,
} from '../support/relying-party.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

type Details = readonly Readonly<Record<string, unknown>>[]

describe('rich authorization requests', () => {
  let latchkey: RunningLatchkey
  let shop: RelyingParty
  let asking: openid.Configuration
  let registerType: DetailHouse['registerType']

  const signIn = (
    details: Details,
    visitor: Visitor = newVisitor(),
    more: Readonly<Record<string, string>> = {},
  ) => shop.signIn(visitor, ada, requestOf(details, more))
  /** What the client is told in place of a code. */
  const refusal = async (parameters: Readonly<Record<string, string>>, party: RelyingParty = shop) => {
    const { url } = await party.request(parameters)
    return answered((await newVisitor().get(url)).location)
  }

  beforeAll(async () => {
    ;({ latchkey, shop, asking, registerType } = await openDetailHouse())
  })
  afterAll(() => latchkey.close())

  it('are announced with the registered types (RFC 9396 §10)', async () => {
    const document = await (await fetch(`${latchkey.issuer}/.well-known/openid-configuration`)).json()
    expect(document.authorization_details_types_supported).toEqual(['payment_initiation', reading.type])
  })

  it('are shown to the person in every particular, and come with the token, its response and introspection', async () => {
    const visitor = newVisitor()
    const request = await shop.request(requestOf([payment], { scope: 'openid' }))
    let page = await visitor.follow(await visitor.get(request.url))
    page = await visitor.follow(
      await visitor.submit(page, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    expect(isConsent(page)).toBe(true)
    for (const shown of [
      'Make a payment',
      'Money leaves your account once.',
      '123.50 EUR',
      'Merchant &amp; Sons',
      payment.creditorAccount.iban,
    ])
      expect(page.text).toContain(shown)
    const back = await visitor.follow(await visitor.submit(page, {}, { action: '/consent' }))
    const tokens = await shop.redeem(request, back.location)
    expect(tokens.authorization_details).toEqual([payment])
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: bank, authorization_details: [payment] })
    expect(await openid.tokenIntrospection(asking, tokens.access_token)).toMatchObject({
      active: true,
      authorization_details: [payment],
    })
  })

  it('are asked for again each time, also in the same session, where the type is for once', async () => {
    const visitor = newVisitor()
    await signIn([payment], visitor)
    const again = await visitor.follow(await visitor.get((await shop.request(requestOf([payment]))).url))
    expect(isConsent(again)).toBe(true)
    const { url } = await shop.request(requestOf([payment], { prompt: 'none' }))
    expect(answered((await visitor.get(url)).location).error).toBe('consent_required')
  })

  it('are not asked for again where exactly the same was allowed and may be remembered', async () => {
    const visitor = newVisitor()
    await signIn([reading], visitor)
    // Members in another order say the same.
    const same = { actions: reading.actions, type: reading.type }
    const silent = await shop.request(requestOf([same], { prompt: 'none' }))
    const tokens = await shop.redeem(silent, (await visitor.get(silent.url)).location)
    expect(tokens.authorization_details).toEqual([same])
    // Also in another session.
    const elsewhere = newVisitor()
    const request = await shop.request(requestOf([reading]))
    const start = await elsewhere.follow(await elsewhere.get(request.url))
    const back = await elsewhere.follow(
      await elsewhere.submit(
        start,
        { identifier: ada.email, password: ada.password },
        { action: '/password' },
      ),
    )
    expect((await shop.redeem(request, back.location)).authorization_details).toEqual([reading])
    for (const other of [
      { ...reading, actions: ['list', 'read', 'lend'] },
      { ...reading, actions: ['read'] },
      payment,
    ]) {
      const { url } = await shop.request(requestOf([reading, other], { prompt: 'none' }))
      expect(answered((await visitor.get(url)).location).error).toBe('consent_required')
    }
  })

  it('of a first-party application are asked for, too', async () => {
    const own = await relyingParty(latchkey, {
      name: 'Own',
      firstParty: true,
      scopes: ['openid', 'accounts'],
      authorizationDetailsTypes: ['payment_initiation'],
    })
    const visitor = newVisitor()
    await own.signIn(visitor, ada, { scope: 'openid' })
    expect(
      isConsent(
        await visitor.follow(
          await visitor.get((await own.request(requestOf([payment], { scope: 'openid' }))).url),
        ),
      ),
    ).toBe(true)
    const tokens = await own.signIn(visitor, ada, requestOf([payment], { scope: 'openid' }))
    expect(tokens.authorization_details).toEqual([payment])
  })

  it('that the person declines are not given, and an earlier allowance is not taken for them', async () => {
    const visitor = newVisitor()
    await signIn([payment], visitor)
    const page = await visitor.follow(await visitor.get((await shop.request(requestOf([payment]))).url))
    const back = await visitor.follow(await visitor.submit(page, {}, { action: '/abort' }))
    expect(answered(back.location).error).toBe('access_denied')
    // Without asking for any there are none, whatever the session's grant holds.
    const request = await shop.request({ resource: bank, scope: 'openid accounts' })
    const tokens = await shop.redeem(request, await walkThrough(visitor, request.url, ada))
    expect(tokens.authorization_details).toBeUndefined()
  })

  it('need no scope at the API', async () => {
    const verifier = openid.randomPKCECodeVerifier()
    const only = await relyingParty(latchkey, {
      name: 'Only',
      scopes: ['openid'],
      authorizationDetailsTypes: ['payment_initiation'],
    })
    const url = openid.buildAuthorizationUrl(only.configuration, {
      redirect_uri: 'http://localhost:9999/callback',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      resource: bank,
      authorization_details: JSON.stringify([payment]),
    })
    const back = await walkThrough(newVisitor(), url.href, ada)
    const tokens = await openid.authorizationCodeGrant(only.configuration, new URL(back), {
      pkceCodeVerifier: verifier,
    })
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: bank, authorization_details: [payment] })
  })

  it('may be pushed (RFC 9126)', async () => {
    const { url } = await shop.request(requestOf([payment], { scope: 'openid' }))
    const { search } = new URL(url)
    const pushed = await openid.buildAuthorizationUrlWithPAR(shop.configuration, new URLSearchParams(search))
    const page = await newVisitor().get(pushed.href)
    expect(page.status).toBe(303)
    const refused = new URLSearchParams(search)
    refused.set('authorization_details', '[{"type":"unknown"}]')
    await expect(openid.buildAuthorizationUrlWithPAR(shop.configuration, refused)).rejects.toMatchObject({
      error: 'invalid_authorization_details',
    })
  })

  it('name their API by locations where the request names none (RFC 9396 §2.2)', async () => {
    const located = { ...reading, locations: [shelf] }
    const request = await shop.request({ scope: 'openid', authorization_details: JSON.stringify([located]) })
    const tokens = await shop.redeem(request, await walkThrough(newVisitor(), request.url, ada))
    expect(await openid.tokenIntrospection(asking, tokens.access_token)).toMatchObject({
      aud: shelf,
      authorization_details: [located],
    })
  })

  it('are narrowed by the token request and the refresh, never widened (RFC 9396 §6.1)', async () => {
    const tokens = await signIn([payment, reading], newVisitor(), {
      scope: 'openid offline_access accounts',
      prompt: 'consent',
    })
    const refresh = (details: unknown, resource = bank) =>
      openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '', {
        resource,
        authorization_details: JSON.stringify(details),
      })
    expect(
      (await openid.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')).authorization_details,
    ).toEqual([payment, reading])
    expect((await refresh([reading])).authorization_details).toEqual([reading])
    expect((await refresh([{ ...reading, actions: ['read'] }])).authorization_details).toEqual([
      { ...reading, actions: ['read'] },
    ])
    const wider = [
      [{ ...reading, actions: ['read', 'lend'] }],
      [{ ...payment, instructedAmount: { currency: 'EUR', amount: '9999.00' } }],
      [{ ...payment, urgent: true }],
      [
        {
          type: payment.type,
          instructedAmount: payment.instructedAmount,
          creditorName: payment.creditorName,
        },
      ],
    ]
    for (const details of wider)
      await expect(refresh(details)).rejects.toMatchObject({ error: 'invalid_authorization_details' })
    // What was narrowed once is not lost for the next.
    expect((await refresh([payment])).authorization_details).toEqual([payment])
  })

  it('reach only an API that understands them', async () => {
    const request = await shop.request(requestOf([payment, reading], { scope: 'openid' }))
    const url = new URL(request.url)
    url.searchParams.append('resource', shelf)
    const back = await walkThrough(newVisitor(), url.href, ada)
    const tokens = await openid.authorizationCodeGrant(
      shop.configuration,
      new URL(back),
      { pkceCodeVerifier: request.verifier, expectedState: request.state, expectedNonce: request.nonce },
      { resource: shelf },
    )
    expect(tokens.authorization_details).toEqual([reading])
    expect(await refusal(requestOf([payment], { resource: shelf }))).toMatchObject({
      error: 'invalid_authorization_details',
    })
    expect(await refusal(requestOf([payment], { resource: 'https://plain.example.test' }))).toMatchObject({
      error: 'invalid_authorization_details',
    })
  })

  it('of a type that is disabled are refused, and left out at the next refresh', async () => {
    const type = await registerType({ type: 'passing', title: 'Passing', remember: true })
    await latchkey.createApi({
      indicator: 'https://passing.example.test',
      name: 'Passing',
      authorizationDetailsTypes: ['passing'],
    })
    const party = await relyingParty(latchkey, {
      name: 'Passer-by',
      scopes: ['openid', 'offline_access'],
      authorizationDetailsTypes: ['passing'],
    })
    const asked = requestOf([{ type: 'passing' }], {
      resource: 'https://passing.example.test',
      scope: 'openid offline_access',
      prompt: 'consent',
    })
    const tokens = await party.signIn(newVisitor(), ada, asked)
    expect(tokens.authorization_details).toEqual([{ type: 'passing' }])
    const { resource } = latchkey.app.features.authorizationTypes
    await resource.actions.find(({ name }) => name === 'disable')?.run(type, {}, commandLineActor)
    expect(
      (await openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '')).authorization_details,
    ).toBeUndefined()
    expect((await refusal(asked, party)).error).toBe('invalid_authorization_details')
  })

  it('that a client may not have any more end what it was given', async () => {
    const party = await relyingParty(latchkey, {
      name: 'Fallen',
      scopes: ['openid', 'offline_access'],
      authorizationDetailsTypes: [reading.type],
    })
    const tokens = await party.signIn(
      newVisitor(),
      ada,
      requestOf([reading], { scope: 'openid offline_access', prompt: 'consent' }),
    )
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(party.client.id)
    if (item === undefined) throw new Error('There is no client.')
    await resource.update(item, { authorizationDetailsTypes: null }, commandLineActor)
    await expect(
      openid.refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    expect(await openid.tokenIntrospection(asking, tokens.access_token)).toEqual({ active: false })
  })
})
