/**
 * A bank and a shelf that understand authorization details, and applications that may ask for them.
 *
 *     const { latchkey, shop } = await openDetailHouse()
 *     await shop.signIn(newVisitor(), ada, requestOf([payment]))
 */
import * as openid from 'openid-client'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import { startLatchkey } from './latchkey.ts'
import { discover, relyingParty } from './relying-party.ts'

export const ada = { email: 'ada@example.test', password: 'analytical engine 1843' }
export const bank = 'https://bank.example.test'
export const shelf = 'https://shelf.example.test'
export const payment = {
  type: 'payment_initiation',
  instructedAmount: { currency: 'EUR', amount: '123.50' },
  creditorName: 'Merchant & Sons',
  creditorAccount: { iban: 'DE02100100109307118603' },
}
export const reading = { type: 'https://example.test/reading', actions: ['list', 'read'] }

export const requestOf = (details: unknown, more: Readonly<Record<string, string>> = {}) => ({
  resource: bank,
  scope: 'openid',
  authorization_details: typeof details === 'string' ? details : JSON.stringify(details),
  ...more,
})

export type DetailHouse = Awaited<ReturnType<typeof openDetailHouse>>

export async function openDetailHouse() {
  const latchkey = await startLatchkey()
  const registerType = async (input: Readonly<Record<string, unknown>>) => {
    const { resource } = latchkey.app.features.authorizationTypes
    return (await resource.create(accept(parseCreate(resource.fields, input)), commandLineActor)).item
  }
  const configured = async (input: Record<string, unknown>) => {
    const { id, secret } = await latchkey.createClient(input)
    return { id, configuration: await discover(latchkey.issuer, id, openid.ClientSecretBasic(secret)) }
  }
  await latchkey.createUser(ada)
  await registerType({
    type: 'payment_initiation',
    title: 'Make a payment',
    description: 'Money leaves your account once.',
    fields: [
      { name: 'instructedAmount', label: 'Amount', kind: 'amount', required: true },
      { name: 'creditorName', label: 'To', kind: 'text', required: true },
      {
        name: 'creditorAccount',
        kind: 'group',
        fields: [{ name: 'iban', label: 'IBAN', kind: 'text', required: true }],
      },
      { name: 'urgent', label: 'At once', kind: 'flag' },
    ],
  })
  await registerType({
    type: reading.type,
    title: 'Read your shelf',
    remember: true,
    fields: [
      { name: 'actions', label: 'Actions', kind: 'list', values: ['list', 'read', 'lend'], required: true },
      { name: 'locations', kind: 'list' },
    ],
  })
  const asking = (await configured({ kind: 'service', id: 'bank-api', name: 'Bank API' })).configuration
  const scopes = [{ name: 'accounts' }]
  await latchkey.createApi({
    indicator: bank,
    name: 'Bank',
    scopes,
    introspectors: ['bank-api'],
    authorizationDetailsTypes: ['payment_initiation', reading.type],
  })
  await latchkey.createApi({
    indicator: shelf,
    name: 'Shelf',
    scopes,
    tokenFormat: 'opaque',
    introspectors: ['bank-api'],
    authorizationDetailsTypes: [reading.type],
  })
  await latchkey.createApi({ indicator: 'https://plain.example.test', name: 'Plain', scopes })
  const authorizationDetailsTypes = ['payment_initiation', reading.type]
  const shop = await relyingParty(latchkey, {
    name: 'Shop',
    scopes: ['openid', 'profile', 'email', 'offline_access', 'accounts'],
    authorizationDetailsTypes,
  })
  const plain = await relyingParty(latchkey, {
    name: 'Plain',
    scopes: ['openid', 'profile', 'email', 'accounts'],
  })
  const service = (
    await configured({
      kind: 'service',
      name: 'Robot',
      scopes: ['accounts'],
      authorizationDetailsTypes: [reading.type],
    })
  ).configuration
  return { latchkey, shop, plain, service, asking, registerType }
}
