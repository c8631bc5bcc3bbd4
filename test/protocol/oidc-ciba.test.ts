import * as openid from 'openid-client'
import { describe, expect, it } from 'vitest'
import { callback, outcomes, times, userinfo } from '../support/application.ts'
import { type Asking, answer, answerPage, applications, bank, ciba, signedInAs } from '../support/asking.ts'
import { movableClock } from '../support/clock.ts'
import { ada, type FrontDoor, grace } from '../support/front-door.ts'
import { discover } from '../support/relying-party.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

describe('asking for a person who is elsewhere', () => {
  it('takes openid-client from the request to user information, with a mail that leads to the answer', async () => {
    await using opened = await bank()
    const { door } = opened
    const { latchkey } = door
    const client = await latchkey.createClient({
      kind: 'web',
      name: 'Helpdesk',
      redirectUris: [callback],
      grantTypes: ['authorization_code', 'refresh_token', ciba],
    })
    const configuration = await discover(latchkey.issuer, client.id, openid.ClientSecretBasic(client.secret))
    expect(configuration.serverMetadata()).toMatchObject({
      backchannel_authentication_endpoint: `${latchkey.issuer}/backchannel`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
    })
    const asked = await openid.initiateBackchannelAuthentication(configuration, {
      scope: 'openid profile offline_access',
      login_hint: ada.email,
      binding_message: 'Table 7',
    })
    expect(asked).toMatchObject({ expires_in: 300, interval: 5 })

    const mail = (await latchkey.mails()).at(-1)
    expect(mail?.subject).toBe('Helpdesk asks if this is you')
    expect(mail?.text).toContain('Table 7')
    expect(mail?.text).toContain('You can answer for 5 minutes.')
    const visitor = newVisitor()
    const form = await visitor.follow(await visitor.get(mail?.link ?? ''))
    const page = await visitor.follow(
      await visitor.submit(form, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    expect(page.text).toContain('Helpdesk asks you to confirm')
    expect(page.text).toContain('Table 7')
    const done = await visitor.follow(await visitor.submit(page, {}, { action: '/approve' }))
    expect(done.text).toContain('You approved it. Helpdesk goes on.')

    const tokens = await openid.pollBackchannelAuthenticationGrant(configuration, {
      ...asked,
      interval: 0.01,
    })
    expect(tokens.claims()).toMatchObject({ sub: door.adaId, aud: client.id })
    expect(await userinfo(latchkey, tokens.access_token)).toMatchObject({ body: { name: ada.name } })
    expect(await openid.refreshTokenGrant(configuration, tokens.refresh_token ?? '')).toMatchObject({
      access_token: expect.any(String),
    })
  })

  it('gives nothing when the person refuses, and nobody else sees or answers it', async () => {
    await using opened = await bank()
    const { door, begin, poll } = opened
    await door.latchkey.createUser(grace)
    const authReqId = await begin()
    const other = await signedInAs(door, grace)
    expect((await applications(door, other)).text).not.toContain('Bank')
    const visitor = await door.signedIn()
    const own = await answerPage(door, visitor)
    const foreign = await other.get(own.url)
    expect(foreign.text).toContain('Nothing waits for your answer here any more')
    const forged = await other.post(`${door.latchkey.issuer}/account/applications/approvals/approve`, {
      ...hidden(await applications(door, other)),
      id: new URL(own.url).searchParams.get('id') ?? '',
    })
    expect(forged.status).toBeGreaterThanOrEqual(400)
    expect(outcomes([await poll(authReqId)])).toEqual({ '400 authorization_pending': 1 })
    await answer(door, visitor, 'deny')
    const polled = await poll(authReqId)
    expect(polled).toMatchObject({ status: 400, body: { error: 'access_denied' } })
    expect((await poll(authReqId)).status).toBe(400)
  })

  it('is answered once: of an approval and a refusal at the same time one counts', async () => {
    await using opened = await bank()
    const { door, begin, poll } = opened
    const authReqId = await begin()
    const visitor = await door.signedIn()
    const page = await answerPage(door, visitor)
    const answers = await times(8, (index) =>
      visitor.clone().submit(page, {}, { action: index % 2 === 0 ? '/approve' : '/deny' }),
    )
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect([200, 400]).toContain((await poll(authReqId)).status)
  })

  it('gives its tokens once, to 20 who poll at once in two processes', async () => {
    await using opened = await bank()
    const { door, begin, poll } = opened
    const authReqId = await begin()
    await answer(door, await door.signedIn(), 'approve')
    const { latchkey } = door
    await using second = await startServerProcess({
      databaseUrl: latchkey.databaseUrl,
      issuer: latchkey.issuer,
    })
    const polls = await times(20, (index) =>
      poll(authReqId, index % 2 === 0 ? undefined : { port: second.port }),
    )
    expect(outcomes(polls)).toEqual({ '200': 1, '400 invalid_grant': 19 })
    const [won] = polls.filter(({ status }) => status === 200)
    expect((await userinfo(latchkey, won?.body.access_token)).status).toBe(200)
  })

  it('tells who polls too fast to slow down, and who polls too late that it is over', async () => {
    const clock = movableClock()
    await using opened = await bank({ clock })
    const { begin, poll } = opened
    const authReqId = await begin()
    expect(outcomes([await poll(authReqId)])).toEqual({ '400 authorization_pending': 1 })
    expect(outcomes([await poll(authReqId)])).toEqual({ '400 slow_down': 1 })
    clock.advance(10)
    expect(outcomes([await poll(authReqId)])).toEqual({ '400 authorization_pending': 1 })
    clock.advance(600)
    expect(outcomes([await poll(authReqId)])).toEqual({ '400 expired_token': 1 })
  })

  it('asks for a stronger proof where the request or the application needs one', async () => {
    await using opened = await bank({}, { requiredLevel: 'multi-factor' })
    const { door, begin, poll } = opened
    const authReqId = await begin()
    const visitor = await door.signedIn()
    const page = await answerPage(door, visitor)
    expect(page.text).toContain('This needs a stronger proof')
    expect(page.text).toContain('acr_values=')
    const forced = await visitor.post(`${door.latchkey.issuer}/account/applications/approvals/approve`, {
      ...hidden(page),
    })
    expect(forced.status).toBe(403)
    expect((await poll(authReqId)).body).toMatchObject({ error: 'authorization_pending' })
  })

  it.each([
    ['nobody known', { login_hint: 'nobody@example.test' }, 'unknown_user_id'],
    ['no hint', { login_hint: '' }, 'invalid_request'],
    ['two hints', { id_token_hint: 'x' }, 'invalid_request'],
    ['a hint token', { login_hint: '', login_hint_token: 'x' }, 'invalid_request'],
    ['no scope', { scope: '' }, 'invalid_request'],
    ['a message over lines', { binding_message: 'a\nb' }, 'invalid_binding_message'],
    ['a long message', { binding_message: 'x'.repeat(65) }, 'invalid_binding_message'],
    ['a message that turns the line round', { binding_message: 'a\u202eb' }, 'invalid_binding_message'],
    ['a message with an address', { binding_message: 'see https://evil.example' }, 'invalid_binding_message'],
    ['a message with a path', { binding_message: 'evil example/pay' }, 'invalid_binding_message'],
    ['a message with a host', { binding_message: 'Call www.evil.example' }, 'invalid_binding_message'],
    [
      'a message with a host of another script',
      { binding_message: 'evil\u3002example' },
      'invalid_binding_message',
    ],
    [
      'details that nobody would be shown',
      { authorization_details: '[{"type":"payment"}]' },
      'invalid_authorization_details',
    ],
    ['a user code', { user_code: '1234' }, 'invalid_request'],
    ['a context', { request_context: '{}' }, 'invalid_request'],
    ['an expiry that is none', { requested_expiry: '-1' }, 'invalid_request'],
  ])('refuses %s', async (_what, form, error) => {
    await using opened = await bank()
    const { ask } = opened
    expect((await ask(form)).body).toMatchObject({ error })
  })

  it('asks for the scopes alone that the application may have', async () => {
    const resource = 'https://pay.example.test'
    await using opened = await bank({}, { scopes: ['openid', 'profile', 'pay:read'] })
    const { door, begin, poll, id } = opened
    const scopes = [
      { name: 'pay:read', description: 'See payments' },
      { name: 'pay:admin', description: 'Change everybody’s payments' },
    ]
    await door.latchkey.createApi({ indicator: resource, name: 'Pay', scopes, tokenFormat: 'opaque' })
    const authReqId = await begin({ scope: 'openid pay:read pay:admin unknown', resource })
    const visitor = await door.signedIn()
    const page = await answerPage(door, visitor)
    expect(page.text).toContain('See payments')
    expect(page.text).not.toContain('Change everybody')
    await answer(door, visitor, 'approve')
    expect((await poll(authReqId)).status).toBe(200)
    const [grant] = await door.latchkey.app.storage.db.artefact.findMany({
      where: { model: 'Grant', clientId: id },
    })
    expect(JSON.parse(grant?.payload ?? '')).toMatchObject({
      openid: { scope: 'openid' },
      resources: { [resource]: 'pay:read' },
    })
  })

  it('asks a person only so often', async () => {
    await using opened = await bank()
    const { begin, ask } = opened
    for (let count = 0; count < 3; count += 1) await begin()
    expect((await ask()).body).toMatchObject({ error: 'access_denied' })
  })

  it('is for clients that have it alone', async () => {
    await using opened = await bank({}, { grantTypes: ['authorization_code'] })
    const { ask } = opened
    expect(outcomes([await ask()])).toEqual({ '400 unauthorized_client': 1 })
  })

  it.each([
    ['the person is disabled', async ({ door }: Asking) => await actOnAda(door, 'disable')],
    ['the person is deleted', async ({ door }: Asking) => await deleteAda(door)],
    [
      'the session has ended',
      async (_: Asking, visitor: Visitor, door: FrontDoor) => await signOut(door, visitor),
    ],
  ])('gives nothing for an approval when %s meanwhile', async (_what, lose) => {
    await using asking = await bank()
    const authReqId = await asking.begin()
    const visitor = await asking.door.signedIn()
    await answer(asking.door, visitor, 'approve')
    await lose(asking, visitor, asking.door)
    expect((await asking.poll(authReqId)).body).toMatchObject({ error: 'invalid_grant' })
  })
})

const hidden = ({ text }: Page): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )

async function actOnAda({ latchkey }: FrontDoor, name: string): Promise<void> {
  const { resource } = latchkey.app.features.users
  const item = await resource.find(ada.email)
  const action = resource.actions.find((each) => each.name === name)
  if (item === undefined || action === undefined) throw new Error(`There is no ${name}.`)
  await action.run(item, {}, { kind: 'system' })
}

async function deleteAda({ latchkey }: FrontDoor): Promise<void> {
  const { resource } = latchkey.app.features.users
  const item = await resource.find(ada.email)
  if (item !== undefined) await resource.delete(item, { kind: 'system' })
}

async function signOut(door: FrontDoor, visitor: Visitor): Promise<void> {
  const page = await visitor.get(`${door.latchkey.issuer}/account/applications`)
  await visitor.follow(await visitor.submit(page, {}, { action: '/sign-out' }))
}
