import { describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Fields, outcomes } from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { approve, deviceGrant, enterCode, registerDevice, toApproval } from '../support/devices.ts'
import { ada } from '../support/front-door.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

describe('what a device request asks of the sign-in', () => {
  it.each<Fields>([{ max_age: '0' }, { prompt: 'login' }])('a proof of now: %o', async (asking) => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const visitor = newVisitor()
    await approve(visitor, await tv.begin(), ada)
    expect((await enterCode(visitor, await tv.begin())).text).toContain('Your device must show this code')
    await latchkey.app.storage.db.$executeRawUnsafe(backdated(latchkey.app.storage.dialect))
    expect((await enterCode(visitor, await tv.begin(asking))).text).toContain('Password')
  })

  it('its nonce stands in the ID token, and what was proven', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin({ nonce: 'n-0S6_WzA2Mj', acr_values: 'urn:latchkey:acr:single-factor' })
    await approve(newVisitor(), asked, ada)
    const [, claims = ''] = String((await tv.poll(asked)).body.id_token).split('.')
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      nonce: 'n-0S6_WzA2Mj',
      acr: 'urn:latchkey:acr:single-factor',
      amr: ['pwd'],
    })
  })

  it('is refused where no sign-in can meet it', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:example:gold' } } })
    const asked = await tv.begin({ claims })
    await toApproval(newVisitor(), asked, ada)
    expect(outcomes([await tv.poll(asked)])).toEqual({ '400 unmet_authentication_requirements': 1 })
  })

  it.each<Fields>([
    { resource: 'https://nowhere.example.test', error: 'invalid_target' },
    { scope: 'openid email', error: 'invalid_scope' },
    { max_age: '-1', error: 'invalid_request' },
    { scope: 'profile', nonce: 'x', error: 'invalid_request' },
  ])('is refused at once where it makes no sense: %o', async ({ error, ...asking }) => {
    await using latchkey = await startLatchkey()
    const tv = await registerDevice(latchkey, { scopes: ['openid', 'profile'] })
    expect((await tv.ask(asking)).body.error).toBe(error)
  })
})

describe('the scopes of a device request', () => {
  const films = 'https://films.example.test'
  const television = async (latchkey: RunningLatchkey) => {
    const scopes = [{ name: 'films:watch', description: 'Watch films' }, { name: 'films:delete' }]
    await latchkey.createApi({ indicator: films, name: 'Films', scopes })
    return await registerDevice(latchkey, { grantTypes: [deviceGrant], scopes: ['openid', 'films:watch'] })
  }

  it.each<Fields>([
    { scope: '' },
    { scope: 'unknown' },
    // Of an API that is not named.
    { scope: 'films:watch' },
    // Which the client may not have there.
    { scope: 'films:delete', resource: films },
    { scope: 'unknown', resource: films },
    // Without the grant refresh_token.
    { scope: 'offline_access' },
  ])('are refused at once where none of them can be given: %o', async (asking) => {
    await using latchkey = await startLatchkey()
    const tv = await television(latchkey)
    const { status, body } = await tv.ask(asking)
    expect([status, body.error, body.device_code]).toEqual([400, 'invalid_scope', undefined])
    const { db } = latchkey.app.storage
    expect(await db.artefact.count({ where: { model: 'DeviceCode' } })).toBe(0)
  })

  it('are asked for as far as they can be given, as in every other request', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await television(latchkey)
    const asked = await tv.begin({ scope: 'unknown films:delete films:watch', resource: films })
    const page = await toApproval(newVisitor(), asked, ada)
    expect(page.text).toContain('Watch films')
    expect(page.text).not.toContain('films:delete')
    await approve(newVisitor(), asked, ada)
    expect((await tv.poll(asked)).body).toMatchObject({ scope: 'films:watch' })
    expect((await tv.ask({ scope: 'openid unknown' })).status).toBe(200)
  })
})

/** Makes every session look a minute old. */
const backdated = (dialect: string): string =>
  dialect === 'sqlite'
    ? `UPDATE artefact SET payload = json_set(payload, '$.loginTs', json_extract(payload, '$.loginTs') - 60) WHERE model = 'Session'`
    : `UPDATE artefact SET payload = jsonb_set(payload::jsonb, '{loginTs}', to_jsonb((payload::jsonb->>'loginTs')::int - 60))::text WHERE model = 'Session'`

describe('between the approval and the redemption', () => {
  const losses = {
    'the person is disabled': async ({ app }, { userId }) => {
      const item = await app.features.users.resource.find(userId)
      const disable = app.features.users.resource.actions.find(({ name }) => name === 'disable')
      await disable?.run(item as never, {}, commandLineActor)
    },
    'the client is disabled': async ({ app }, { clientId }) => {
      const { resource } = app.features.clients
      const disable = resource.actions.find(({ name }) => name === 'disable')
      await disable?.run((await resource.find(clientId)) as never, {}, commandLineActor)
    },
    'the person is deleted': async ({ app }, { userId }) => {
      const { resource } = app.features.users
      await resource.delete?.((await resource.find(userId)) as never, commandLineActor)
    },
    'the password is reset': async ({ app }, { userId }) => {
      await app.storage.transaction((db) => app.artefacts.endEverythingOfUser(db, userId))
    },
    'the session is ended': async ({ app }, { userId }) => {
      const [session] = await app.artefacts.sessionsOfUser(userId)
      await app.storage.transaction((db) =>
        app.artefacts.endSession(db, session?.uid ?? '', { offlineAccess: true }),
      )
    },
    'the consent is withdrawn': async ({ app }, { userId, clientId }) => {
      await app.storage.transaction((db) => app.artefacts.endClientOfUser(db, userId, clientId))
    },
  } satisfies Record<
    string,
    (
      latchkey: Awaited<ReturnType<typeof startLatchkey>>,
      of: { readonly userId: string; readonly clientId: string },
    ) => Promise<void>
  >

  it.each(Object.keys(losses) as (keyof typeof losses)[])(
    'nothing is given any more when %s',
    async (loss) => {
      await using latchkey = await startLatchkey()
      const userId = await latchkey.createUser(ada)
      const tv = await registerDevice(latchkey)
      const asked = await tv.begin({ scope: 'openid offline_access' })
      await approve(newVisitor(), asked, ada)
      await losses[loss](latchkey, { userId, clientId: tv.id })
      const { status, body } = await tv.poll(asked)
      expect({ status, error: body.error }).toEqual(
        loss === 'the client is disabled'
          ? { status: 401, error: 'invalid_client' }
          : { status: 400, error: 'invalid_grant' },
      )
    },
  )
})
