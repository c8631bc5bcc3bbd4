import * as openid from 'openid-client'
import { describe, expect, it } from 'vitest'
import { outcomes, times, userinfo } from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { approve, deny, deviceGrant, enterCode, registerDevice, toApproval } from '../support/devices.ts'
import { ada } from '../support/front-door.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { discover } from '../support/relying-party.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

describe('the device authorization grant', () => {
  it('takes openid-client from the first request to user information', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const configuration = await discover(latchkey.issuer, tv.id, openid.None())
    expect(configuration.serverMetadata()).toMatchObject({
      device_authorization_endpoint: `${latchkey.issuer}/device/auth`,
      grant_types_supported: expect.arrayContaining([deviceGrant]),
    })
    const asked = await openid.initiateDeviceAuthorization(configuration, {
      scope: 'openid profile offline_access',
    })
    expect(asked).toMatchObject({
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${latchkey.issuer}/device`,
      verification_uri_complete: `${latchkey.issuer}/device?user_code=${asked.user_code}`,
      expires_in: 600,
      interval: 5,
    })
    const approval = await approve(newVisitor(), asked as never, ada)
    expect(approval.text).toContain('Your device is connected')
    const tokens = await openid.pollDeviceAuthorizationGrant(configuration, { ...asked, interval: 0.01 })
    expect(tokens).toMatchObject({ refresh_token: expect.any(String), id_token: expect.any(String) })
    expect(await userinfo(latchkey, tokens.access_token)).toMatchObject({ body: { name: 'Ada Lovelace' } })
    expect(await openid.refreshTokenGrant(configuration, tokens.refresh_token ?? '')).toMatchObject({
      access_token: expect.any(String),
    })
  })

  it('is for clients that have it alone', async () => {
    await using latchkey = await startLatchkey()
    const tv = await registerDevice(latchkey, {
      grantTypes: ['authorization_code'],
      redirectUris: ['http://localhost:9999/callback'],
    })
    expect(outcomes([await tv.ask()])).toEqual({ '400 unauthorized_client': 1 })
    expect(outcomes([await tv.poll({ device_code: 'x' })])).toEqual({ '400 unauthorized_client': 1 })
  })

  it('needs the secret of a client that has one, for a code and for tokens', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const box = await registerDevice(latchkey, { kind: 'web', name: 'Box' })
    const asked = await box.begin()
    await approve(newVisitor(), asked, ada)
    const wrong = { headers: { authorization: `Basic ${Buffer.from(`${box.id}:wrong`).toString('base64')}` } }
    expect((await box.ask({}, wrong)).status).toBe(401)
    expect((await box.poll(asked, {}, wrong)).status).toBe(401)
    expect((await box.poll(asked)).status).toBe(200)
  })
})

describe('a device that polls', () => {
  it('is told to wait, and to slow down by five seconds for each poll that comes too early', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    const pollAfter = async (seconds: number) => {
      clock.advance(seconds)
      return (await tv.poll(asked)).body.error
    }
    expect(await pollAfter(0)).toBe('authorization_pending')
    expect(await pollAfter(5)).toBe('authorization_pending')
    expect(await pollAfter(3)).toBe('slow_down')
    expect(await pollAfter(8)).toBe('slow_down')
    expect(await pollAfter(13)).toBe('slow_down')
    expect(await pollAfter(20)).toBe('authorization_pending')
    expect(await pollAfter(20)).toBe('authorization_pending')
    expect(await pollAfter(19)).toBe('slow_down')
  })

  it('counts the polls of all processes together, and those of parallel ones once', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    const answers = await times(20, (index) => tv.poll(asked, {}, { at: index % 2 === 0 ? latchkey : other }))
    expect(outcomes(answers)).toEqual({ '400 authorization_pending': 1, '400 slow_down': 19 })
  })

  it('is not slowed down by anybody else', async () => {
    await using latchkey = await startLatchkey()
    const tv = await registerDevice(latchkey)
    const stranger = await registerDevice(latchkey, { name: 'Stranger' })
    const asked = await tv.begin()
    expect(outcomes([await stranger.poll(asked), await stranger.poll(asked)])).toEqual({
      '400 invalid_grant': 2,
    })
    expect((await tv.poll(asked)).body.error).toBe('authorization_pending')
  })

  it('gets its tokens at once when it was approved, however hasty it had been', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    await tv.poll(asked)
    await tv.poll(asked)
    await approve(newVisitor(), asked, ada)
    expect((await tv.poll(asked)).status).toBe(200)
  })

  it('is told that it was denied, once, and nothing after that', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    const page = await deny(newVisitor(), asked, ada)
    expect(page.text).toContain('The device was not connected')
    expect(outcomes([await tv.poll(asked)])).toEqual({ '400 access_denied': 1 })
    clock.advance(10)
    expect(outcomes([await tv.poll(asked)])).toEqual({ '400 invalid_grant': 1 })
    expect((await enterCode(newVisitor(), asked)).text).toContain('This code was used already')
  })

  it('is told that its code has expired, approved or not', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const [waiting, approved] = [await tv.begin(), await tv.begin()]
    await approve(newVisitor(), approved, ada)
    clock.advance(601)
    expect(outcomes([await tv.poll(waiting), await tv.poll(approved)])).toEqual({ '400 expired_token': 2 })
    expect((await enterCode(newVisitor(), waiting)).text).toContain('This code has expired')
  })
})

describe('an approved device', () => {
  it('is given tokens by one of 20 parallel polls at two processes, and they are good', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const visitor = newVisitor()
    for (const _round of [1, 2, 3]) {
      const asked = await tv.begin()
      await approve(visitor, asked, ada)
      const answers = await times(20, (index) =>
        tv.poll(asked, {}, { at: index % 2 === 0 ? latchkey : other }),
      )
      expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': 19 })
      const tokens = answers.find(({ status }) => status === 200)?.body
      expect(await userinfo(other, tokens?.access_token)).toMatchObject({ status: 200 })
    }
  })

  it('loses what it got when its code comes again later, as somebody else has it', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    await approve(newVisitor(), asked, ada)
    const { body } = await tv.poll(asked)
    clock.advance(5)
    expect(outcomes([await tv.poll(asked)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, body.access_token)).toMatchObject({ status: 401 })
  })

  it('may be bound to a key of its own (DPoP)', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const configuration = await discover(latchkey.issuer, tv.id, openid.None())
    const asked = await openid.initiateDeviceAuthorization(configuration, { scope: 'openid' })
    await approve(newVisitor(), asked as never, ada)
    const DPoP = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
    const tokens = await openid.pollDeviceAuthorizationGrant(
      configuration,
      { ...asked, interval: 0.01 },
      undefined,
      {
        DPoP,
      },
    )
    expect(tokens.token_type).toBe('dpop')
    expect(await userinfo(latchkey, tokens.access_token)).toMatchObject({ status: 401 })
    const sub = tokens.claims()?.sub ?? ''
    const info = await openid.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP })
    expect(info.sub).toBe(sub)
  })

  it('gets a token for the API that it named', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const api = 'https://films.example.test'
    await latchkey.createApi({
      indicator: api,
      name: 'Films',
      scopes: [{ name: 'films:watch', description: 'Watch films' }],
    })
    const tv = await registerDevice(latchkey, { scopes: ['films:watch'] })
    const asked = await tv.begin({ scope: 'films:watch', resource: api })
    const page = await toApproval(newVisitor(), asked, ada)
    expect(page.text).toContain('Watch films')
    await approve(newVisitor(), asked, ada)
    const { body } = await tv.poll(asked)
    const [, claims = ''] = String(body.access_token).split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: api,
      scope: 'films:watch',
    })
  })
})
