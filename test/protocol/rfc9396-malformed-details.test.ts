import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bank,
  type DetailHouse,
  openDetailHouse,
  payment,
  reading,
  requestOf,
} from '../support/authorization-details.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { answered, relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

describe('authorization details that nobody may have', () => {
  let house: DetailHouse

  const refusal = async (parameters: Readonly<Record<string, string>>, party = house.shop) => {
    const { url } = await party.request(parameters)
    return answered((await newVisitor().get(url)).location)
  }

  beforeAll(async () => {
    house = await openDetailHouse()
  })
  afterAll(() => house.latchkey.close())

  it('are refused to a client that has no type', async () => {
    expect(await refusal(requestOf([payment]), house.plain)).toMatchObject({
      error: 'invalid_authorization_details',
    })
  })

  it.each([
    ['no JSON', '{'],
    ['an object', '{"type":"payment_initiation"}'],
    ['a member that is no object', '["payment_initiation"]'],
    ['no type', '[{}]'],
    ['an unknown type', '[{"type":"unknown"}]'],
    ['a name of the language', '[{"type":"constructor"}]'],
    ['an undeclared member', JSON.stringify([{ ...payment, admin: true }])],
    [
      'an undeclared member within',
      JSON.stringify([{ ...payment, creditorAccount: { iban: 'DE02', x: 1 } }]),
    ],
    [
      'a smuggled prototype',
      '[{"type":"https://example.test/reading","actions":["read"],"__proto__":{"x":1}}]',
    ],
    ['a missing member', JSON.stringify([{ type: payment.type, creditorName: 'X' }])],
    [
      'an amount that is a number',
      JSON.stringify([{ ...payment, instructedAmount: { currency: 'EUR', amount: 12 } }]),
    ],
    [
      'a negative amount',
      JSON.stringify([{ ...payment, instructedAmount: { currency: 'EUR', amount: '-1' } }]),
    ],
    ['text that turns around', JSON.stringify([{ ...payment, creditorName: 'Bank\u202eknaB' }])],
    ['text of two lines', JSON.stringify([{ ...payment, creditorName: 'Bank\nof x' }])],
    ['a value that is none of the list', JSON.stringify([{ ...reading, actions: ['burn'] }])],
    ['an empty list', JSON.stringify([{ ...reading, actions: [] }])],
    ['too many', JSON.stringify(Array(11).fill(reading))],
    [
      'an overlong one',
      JSON.stringify([{ ...reading, locations: Array(40).fill(`https://x.example/${'y'.repeat(400)}`) }]),
    ],
    [
      'deep nesting',
      `[{"type":"payment_initiation","creditorName":${'['.repeat(1_500)}${']'.repeat(1_500)}}]`,
    ],
  ])('with %s are refused at every door', async (_what, details) => {
    const expected = { error: 'invalid_authorization_details' }
    if (details.length < 2_000) expect(await refusal(requestOf(details))).toMatchObject(expected)
    await expect(
      openid.clientCredentialsGrant(house.service, { resource: bank, authorization_details: details }),
    ).rejects.toMatchObject(expected)
  })

  it('come with client credentials, of the types that the client has', async () => {
    const ask = (details: unknown) =>
      openid.clientCredentialsGrant(house.service, {
        resource: bank,
        authorization_details: JSON.stringify(details),
      })
    const tokens = await ask([reading])
    expect(tokens.authorization_details).toEqual([reading])
    expect(decodeJwt(tokens.access_token).authorization_details).toEqual([reading])
    await expect(ask([payment])).rejects.toMatchObject({ error: 'invalid_authorization_details' })
    await expect(ask([reading, payment])).rejects.toMatchObject({ error: 'invalid_authorization_details' })
  })
})

describe('without registered types', () => {
  it('authorization_details are not known, as before', async () => {
    await using latchkey = await startLatchkey()
    const document = await (await fetch(`${latchkey.issuer}/.well-known/openid-configuration`)).json()
    expect(document.authorization_details_types_supported).toBeUndefined()
    const party = await relyingParty(latchkey, { name: 'Shop' })
    const { url } = await party.request({ authorization_details: '[{"type":"payment_initiation"}]' })
    const page = await newVisitor().follow(await newVisitor().get(url))
    expect(page.location).toBeUndefined()
  })
})
