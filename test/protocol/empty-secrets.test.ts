import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Answer, application, callback, type Fields, outcomes, send } from '../support/application.ts'
import { ciba } from '../support/asking.ts'
import { deviceGrant } from '../support/devices.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', password: 'analytical engine 1843' }
const basic = (id: string, secret = ''): Fields => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

describe('a client_id in the header of HTTP Basic, with an empty password (RFC 6749 §2.3.1)', () => {
  let latchkey: RunningLatchkey
  let page: CreatedClient

  const grantTypes = ['authorization_code', 'refresh_token', deviceGrant]
  const publicClient = (input: Readonly<Record<string, unknown>> = {}) =>
    latchkey.createClient({
      kind: 'native',
      name: 'Page',
      redirectUris: [callback],
      firstParty: true,
      grantTypes,
      ...input,
    })

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    page = await publicClient()
  })
  afterAll(() => latchkey.close())

  const post = (path: string, headers: Fields, form: Fields = {}): Promise<Answer> =>
    send(latchkey, path, { headers, form })
  /** What the token endpoint is asked with a code. */
  const codeForm = async (client = page): Promise<Fields> => {
    const { code, verifier } = await application(latchkey, client).signIn(newVisitor(), ada)
    return { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callback }
  }

  it('names a client without a secret, whether the form names it, too, or not', async () => {
    const { status, body } = await post('/token', basic(page.id), await codeForm())
    expect(status).toBe(200)
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) }
    const again = await post('/token', basic(page.id), { ...refresh, client_id: page.id })
    expect(again.status).toBe(200)
    const token = String(again.body.refresh_token)
    expect((await post('/token/revocation', basic(page.id), { token })).status).toBe(200)
    expect(
      outcomes([await post('/token', basic(page.id), { grant_type: 'refresh_token', refresh_token: token })]),
    ).toEqual({ '400 invalid_grant': 1 })
  })

  it('does so in every place where clients say who they are, and in any way of writing it', async () => {
    const tv = await publicClient({ id: 'living.room~tv', name: 'Television' })
    const { authorization = '' } = basic('living%2Eroom%7Etv')
    const asked = await post(
      '/device/auth',
      { authorization: authorization.replace('Basic', 'bASIC') },
      { scope: 'openid' },
    )
    expect(asked.status).toBe(200)
    const device_code = String(asked.body.device_code)
    expect(outcomes([await post('/token', basic(tv.id), { grant_type: deviceGrant, device_code })])).toEqual({
      '400 authorization_pending': 1,
    })
    const { params } = await application(latchkey, page).begin()
    const { client_id: _, ...unnamed } = params
    expect((await post('/request', basic(page.id), unnamed)).status).toBe(201)
    expect(outcomes([await post('/backchannel', basic(page.id), { scope: 'openid' })])).toEqual({
      '400 unauthorized_client': 1,
    })
    expect((await post('/token/introspection', basic(page.id), { token: 'x' })).body).toEqual({
      active: false,
    })
  })

  it.each<[string, Fields, Fields]>([
    ['a password that nobody gave it', basic('PAGE', 'guess'), {}],
    ['another client in the form', basic('PAGE'), { client_id: 'other' }],
    ['a secret in the form', basic('PAGE'), { client_secret: 'guess' }],
    ['an assertion in the form', basic('PAGE'), { client_assertion: 'x' }],
    ['no name', basic(''), {}],
    ['an unknown name', basic('nobody'), {}],
    ['a name that cannot be read', basic('%E0%A4%A'), {}],
    ['two colons', basic('PAGE', ':'), {}],
    ['another scheme', { authorization: basic('PAGE').authorization?.replace('Basic', 'Bearer') ?? '' }, {}],
  ])('is refused with %s', async (_what, headers, more) => {
    const { authorization = '' } = headers
    const [scheme, encoded = ''] = authorization.split(' ')
    const named = Buffer.from(encoded, 'base64').toString().replace('PAGE', page.id)
    const header = { authorization: `${scheme} ${Buffer.from(named).toString('base64')}` }
    const { status, body } = await post('/token', header, { ...(await codeForm()), ...more })
    expect([400, 401]).toContain(status)
    expect(body.access_token).toBeUndefined()
  })

  it('stands for no client that has to prove itself, whatever its way', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = { jwks: { keys: [await exportJWK(publicKey)] } }
    const grants = { kind: 'web', redirectUris: [callback], grantTypes: [...grantTypes, ciba] }
    for (const input of [
      { ...grants, authentication: 'client_secret_basic' },
      { ...grants, authentication: 'client_secret_post' },
      { ...grants, authentication: 'private_key_jwt', ...keys },
      { kind: 'service' },
    ]) {
      const { id } = await latchkey.createClient({ name: 'Confidential', ...input })
      for (const named of [{}, { client_id: id }, { client_id: id, client_secret: '' }] as Fields[])
        for (const [path, form] of [
          ['/token', { grant_type: 'client_credentials' }],
          ['/token', { grant_type: 'refresh_token', refresh_token: 'x' }],
          ['/request', { response_type: 'code' }],
          ['/device/auth', { scope: 'openid' }],
          ['/backchannel', { scope: 'openid', login_hint: ada.email }],
          ['/token/introspection', { token: 'x' }],
          ['/token/revocation', { token: 'x' }],
        ] as const)
          expect(outcomes([await post(path, basic(id), { ...form, ...named })])).toEqual({
            '400 invalid_request': 1,
          })
    }
  })

  it('stands for no client that is disabled', async () => {
    const { resource } = latchkey.app.features.clients
    const client = await publicClient()
    const form = await codeForm(client)
    const item = await resource.find(client.id)
    if (item === undefined) throw new Error('The client is gone.')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    expect(outcomes([await post('/token', basic(client.id), form)])).toEqual({ '400 invalid_request': 1 })
  })
})
