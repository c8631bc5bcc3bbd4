import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Answer, callback, type Fields, outcomes, send } from '../support/application.ts'
import { answer, answerPage, applications, ciba, signedInAs } from '../support/asking.ts'
import {
  ada,
  bank,
  type DetailHouse,
  openDetailHouse,
  payment,
  reading,
  shelf,
} from '../support/authorization-details.ts'
import { clientKey, signWith } from '../support/client-keys.ts'
import type { CreatedClient } from '../support/latchkey.ts'

/** Once for each test, as nobody is asked by one application more than thrice. */
const tillOf = (house: DetailHouse, input: Readonly<Record<string, unknown>> = {}) =>
  house.latchkey.createClient({
    kind: 'web',
    name: 'Till',
    redirectUris: [callback],
    grantTypes: ['authorization_code', 'refresh_token', ciba],
    scopes: ['openid', 'profile', 'offline_access', 'accounts'],
    authorizationDetailsTypes: [payment.type, reading.type],
    ...input,
  })

describe('authorization details asked of a person who is elsewhere (RFC 9396, CIBA Core 1.0)', () => {
  let house: DetailHouse

  beforeAll(async () => {
    house = await openDetailHouse()
  })
  afterAll(() => house.latchkey.close())

  const post = (path: string, { id, secret }: CreatedClient, form: Fields): Promise<Answer> =>
    send(house.latchkey, path, { headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` }, form })
  const ask = (till: CreatedClient, details: unknown, more: Fields = {}): Promise<Answer> =>
    post('/backchannel', till, {
      scope: 'openid',
      login_hint: ada.email,
      resource: bank,
      authorization_details: typeof details === 'string' ? details : JSON.stringify(details),
      ...more,
    })
  const poll = (till: CreatedClient, { body }: Answer, more: Fields = {}): Promise<Answer> =>
    post('/token', till, { grant_type: ciba, auth_req_id: String(body.auth_req_id), ...more })

  it('are told in words by mail, among what waits and where one answers, in every particular', async () => {
    const till = await tillOf(house)
    await ask(till, [payment, reading], { scope: 'openid accounts' })
    const mail = (await house.latchkey.mails()).at(-1)
    for (const line of [
      'It is about: Make a payment',
      'Amount: 123.50 EUR',
      'To: Merchant & Sons',
      `IBAN: ${payment.creditorAccount.iban}`,
      'It is about: Read your shelf',
      'Actions: list, read',
    ])
      expect(mail?.text).toContain(line)
    const visitor = await signedInAs(house, ada)
    const list = await applications(house, visitor)
    expect(list.text).toContain('Make a payment')
    expect(list.text).toContain('Read your shelf')
    const page = await answerPage(house, visitor)
    for (const shown of [
      'Make a payment',
      'Money leaves your account once.',
      '123.50 EUR',
      'Merchant &amp; Sons',
      payment.creditorAccount.iban,
      'list, read',
      'accounts',
    ])
      expect(page.text).toContain(shown)
    await answer(house, visitor, 'deny')
  })

  it('come with the tokens, their response and introspection, and with each renewal', async () => {
    const till = await tillOf(house)
    const asked = await ask(till, [payment, reading], { scope: 'openid offline_access' })
    const visitor = await signedInAs(house, ada)
    await answer(house, visitor, 'approve')
    const { status, body } = await poll(till, asked)
    expect([status, body.authorization_details]).toEqual([200, [payment, reading]])
    expect(decodeJwt(String(body.access_token))).toMatchObject({
      aud: bank,
      authorization_details: [payment, reading],
    })
    expect(await openid.tokenIntrospection(house.asking, String(body.access_token))).toMatchObject({
      active: true,
      authorization_details: [payment, reading],
    })
    const refresh = (more: Fields = {}) =>
      post('/token', till, {
        grant_type: 'refresh_token',
        refresh_token: String(body.refresh_token),
        resource: bank,
        ...more,
      })
    expect((await refresh()).body.authorization_details).toEqual([payment, reading])
    const less = JSON.stringify([{ ...reading, actions: ['read'] }])
    expect((await refresh({ authorization_details: less })).body.authorization_details).toEqual([
      { ...reading, actions: ['read'] },
    ])
    const more = JSON.stringify([{ ...payment, instructedAmount: { currency: 'EUR', amount: '9999.00' } }])
    expect(outcomes([await refresh({ authorization_details: more })])).toEqual({
      '400 invalid_authorization_details': 1,
    })
  })

  it('reach the API that they name themselves, and an opaque token', async () => {
    const till = await tillOf(house)
    const located = { ...reading, locations: [shelf] }
    const asked = await post('/backchannel', till, {
      scope: 'openid',
      login_hint: ada.email,
      authorization_details: JSON.stringify([located]),
    })
    await answer(house, await signedInAs(house, ada), 'approve')
    const { body } = await poll(till, asked)
    expect(await openid.tokenIntrospection(house.asking, String(body.access_token))).toMatchObject({
      aud: shelf,
      authorization_details: [located],
    })
  })

  it('count as they stand in a signed request, whatever stands beside it', async () => {
    const key = await clientKey('ES256')
    const till = await tillOf(house, {
      jwks: { keys: [key.publicJwk] },
      authentication: 'client_secret_basic',
    })
    const now = Math.floor(Date.now() / 1000)
    const request = await signWith(key, {
      ...{ iss: till.id, aud: house.latchkey.issuer, jti: randomUUID(), iat: now, nbf: now, exp: now + 60 },
      ...{ scope: 'openid', login_hint: ada.email, resource: bank, authorization_details: [reading] },
    })
    const asked = await ask(till, [payment], { request })
    expect(asked.status).toBe(200)
    const visitor = await signedInAs(house, ada)
    const { text } = await answerPage(house, visitor)
    expect([text.includes('Read your shelf'), text.includes('Make a payment')]).toEqual([true, false])
    await answer(house, visitor, 'approve')
    expect((await poll(till, asked)).body.authorization_details).toEqual([reading])
  })

  it('are of this request alone: another one of the same session and client has none of them', async () => {
    const till = await tillOf(house)
    const visitor = await signedInAs(house, ada)
    const first = await ask(till, [payment])
    await answer(house, visitor, 'approve')
    expect((await poll(till, first)).body.authorization_details).toEqual([payment])
    const second = await post('/backchannel', till, {
      scope: 'openid accounts',
      login_hint: ada.email,
      resource: bank,
    })
    await answer(house, visitor, 'approve')
    const { status, body } = await poll(till, second)
    expect([status, body.authorization_details]).toEqual([200, undefined])
  })

  it('are nobody’s when the person refuses', async () => {
    const till = await tillOf(house)
    const asked = await ask(till, [payment])
    await answer(house, await signedInAs(house, ada), 'deny')
    expect(outcomes([await poll(till, asked)])).toEqual({ '400 access_denied': 1 })
    const { db } = house.latchkey.app.storage
    expect(await db.artefact.count({ where: { model: 'Grant', clientId: till.id } })).toBe(0)
  })

  it('are not given of a type that was disabled between the question and the answer', async () => {
    const item = await house.registerType({ type: 'passing', title: 'Pass', fields: [] })
    const { resource } = house.latchkey.app.features.authorizationTypes
    const till = await tillOf(house, { authorizationDetailsTypes: ['passing', payment.type] })
    const { resource: apis } = house.latchkey.app.features.resources
    const api = await apis.find(bank)
    if (api === undefined) throw new Error('The API is gone.')
    const understood = [payment.type, reading.type, 'passing']
    await apis.update(api, { authorizationDetailsTypes: understood }, commandLineActor)
    const asked = await ask(till, [{ type: 'passing' }, payment])
    expect(asked.status).toBe(200)
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    await answer(house, await signedInAs(house, ada), 'approve')
    expect((await poll(till, asked)).body.authorization_details).toEqual([payment])
  })

  it.each([
    ['no JSON', '{', {}],
    ['an unknown type', [{ type: 'unknown' }], {}],
    ['an undeclared member', [{ ...payment, admin: true }], {}],
    ['a member that misses', [{ type: payment.type, creditorName: 'X' }], {}],
    ['text that turns around', [{ ...payment, creditorName: 'Bank\u202eknaB' }], {}],
    ['too many', Array(11).fill(reading), {}],
    ['an API that does not understand them', [payment], { resource: 'https://plain.example.test' }],
  ])('are refused before anybody is asked: %s', async (_what, details, more) => {
    const till = await tillOf(house)
    const before = (await house.latchkey.mails()).length
    const { status, body } = await ask(till, details, more)
    expect([status, body.auth_req_id]).toEqual([400, undefined])
    expect(['invalid_authorization_details', 'invalid_target']).toContain(body.error)
    expect((await house.latchkey.mails()).length).toBe(before)
  })

  it('are refused to a client that may not ask for the type, and where nothing says for which API', async () => {
    const till = await tillOf(house, { authorizationDetailsTypes: [reading.type] })
    expect(outcomes([await ask(till, [payment])])).toEqual({ '400 invalid_authorization_details': 1 })
    const { id, secret } = till
    const form = {
      scope: 'openid',
      login_hint: ada.email,
      authorization_details: JSON.stringify([reading]),
    }
    expect(outcomes([await post('/backchannel', { id, secret }, form)])).toEqual({ '400 invalid_target': 1 })
  })
})
