import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, callback, type Fields, outcomes, send } from '../support/application.ts'
import { ciba } from '../support/asking.ts'
import { deviceGrant } from '../support/devices.ts'
import { type CreatedClient, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { strictParty } from '../support/strict-party.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const bearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const refused = { '400 unauthorized_client': 1 }

describe('a client that asks in a way that it was not registered for', () => {
  let latchkey: RunningLatchkey
  let web: CreatedClient
  let service: CreatedClient
  let spa: CreatedClient

  beforeAll(async () => {
    latchkey = await startLatchkey()
    const redirectUris = [callback]
    web = await latchkey.createClient({
      kind: 'web',
      name: 'Shop',
      redirectUris,
      grantTypes: ['authorization_code'],
    })
    service = await latchkey.createClient({ kind: 'service', name: 'Importer' })
    spa = await latchkey.createClient({
      kind: 'spa',
      name: 'Page',
      redirectUris,
      grantTypes: ['authorization_code'],
    })
  })
  afterAll(() => latchkey.close())

  const post = (
    path: string,
    { id, secret }: Pick<CreatedClient, 'id' | 'secret'>,
    form: Fields,
  ): Promise<Answer> =>
    send(latchkey, path, {
      headers: secret === '' ? {} : { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      form: secret === '' ? { client_id: id, ...form } : form,
    })

  it.each([
    ['refresh_token', { refresh_token: 'x' }],
    ['client_credentials', {}],
    [deviceGrant, { device_code: 'x' }],
    [ciba, { auth_req_id: 'x' }],
    [exchange, { subject_token: 'x', subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }],
    [bearer, { assertion: 'x' }],
  ])('is told unauthorized_client for the grant %s (RFC 6749 §5.2)', async (grantType, form) => {
    // An assertion of somebody else is how a client without a secret proves who it is.
    for (const client of grantType === bearer ? [web] : [web, spa])
      expect(outcomes([await post('/token', client, { grant_type: grantType, ...form })])).toEqual(refused)
  })

  it('is told so for a code, too, whatever it holds', async () => {
    const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: callback }
    const answer = await post('/token', service, form)
    expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client'])
    expect(answer.body.error_description).toBe(
      'the grant type authorization_code is not allowed for this client',
    )
  })

  it('is told so before anything else of the request is looked at', async () => {
    expect(
      outcomes([await post('/token', web, { grant_type: 'client_credentials', scope: '\u0000' })]),
    ).toEqual({ '400 invalid_request': 1 })
    expect(outcomes([await post('/token', web, { grant_type: deviceGrant })])).toEqual(refused)
    const strict = await strictParty(latchkey, { profile: 'fapi-2-security' })
    const unproven = await strict.token({ grant_type: 'client_credentials' }, { dpop: null })
    expect([unproven.status, unproven.body.error]).toEqual([400, 'unauthorized_client'])
  })

  it('hears of it only once it has proven who it is', async () => {
    const stranger = { ...web, secret: 'a-wrong-secret' }
    expect(outcomes([await post('/token', stranger, { grant_type: 'client_credentials' })])).toEqual({
      '401 invalid_client': 1,
    })
  })

  it.each(['password', 'implicit', 'urn:example:grant'])(
    'is told unsupported_grant_type for %s, which nobody has',
    async (grantType) => {
      expect(outcomes([await post('/token', web, { grant_type: grantType })])).toEqual({
        '400 unsupported_grant_type': 1,
      })
    },
  )

  it.each([
    ['/device/auth', { scope: 'openid' }],
    ['/backchannel', { scope: 'openid', login_hint: 'ada@example.test' }],
  ])('is told unauthorized_client at %s', async (path, form) => {
    expect(outcomes([await post(path, web, form)])).toEqual(refused)
    expect(outcomes([await post(path, service, form)])).toEqual(refused)
  })

  const request = {
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  }

  it('is told so when it pushes a request', async () => {
    const pushed = await post('/request', service, { client_id: service.id, ...request })
    expect(outcomes([pushed])).toEqual(refused)
  })

  it('is told so in the answer to a request for a response type that it has not (RFC 6749 §4.1.2.1)', async () => {
    await using open = await startLatchkey({ environment: { LATCHKEY_CLIENTS_ALLOW_LEGACY: 'true' } })
    const redirectUri = 'https://shop.example.test/callback'
    const { id } = await open.createClient({
      kind: 'web',
      name: 'Old shop',
      profile: 'legacy',
      redirectUris: [redirectUri],
      responseTypes: ['code'],
    })
    const hybrid = { redirect_uri: redirectUri, response_type: 'code id_token', nonce: 'n', state: 'here' }
    const query = new URLSearchParams({ client_id: id, ...request, ...hybrid })
    const { location = '' } = await send(open, `/auth?${query}`)
    expect(Object.fromEntries(new URLSearchParams(new URL(location).hash.slice(1)))).toMatchObject({
      error: 'unauthorized_client',
      state: 'here',
    })
  })
})
