import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mayBeAsked } from '../../src/features/client-registrations/documents.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { application, callback } from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type SectorServer, startSectorServer } from '../support/sector-server.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada', password: 'analytical engine 1843' }
const allow = { LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENTS: 'any' }

describe('clients that a document describes', () => {
  const clock = movableClock()
  let latchkey: RunningLatchkey
  let server: SectorServer
  let id: string
  let number = 0

  beforeAll(async () => {
    server = await startSectorServer()
    latchkey = await startLatchkey({
      clock,
      environment: { ...allow, LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost' },
    })
    await latchkey.createUser(ada)
  })
  afterAll(async () => {
    await latchkey?.close()
    await server?.close()
  })
  beforeEach(() => {
    number += 1
    id = `${new URL(server.url).origin}/agents/${number}`
    server.publish(document())
  })

  const document = (more: object = {}): object => ({
    client_id: id,
    client_name: 'Agent',
    redirect_uris: [callback],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    ...more,
  })
  const agent = () => application(latchkey, { id, secret: '' })
  const visit = async (more = {}) => (await agent().visit(newVisitor(), more)).status

  it('sign people in, who are always asked and told the host', async () => {
    const visitor = newVisitor()
    const shown = await agent().visit(visitor)
    const consent = await visitor.follow(
      await visitor.submit(shown, { identifier: ada.email, password: ada.password }, { action: '/password' }),
    )
    expect(consent.text).toContain(new URL(id).host)
    expect(await latchkey.app.features.clients.resource.find(id)).toBeUndefined()
    const back = await visitor.follow(await visitor.submit(consent, {}, { action: '/consent' }))
    expect(back.location).toContain('code=')
    expect(await latchkey.app.features.clients.resource.find(id)).toMatchObject({
      origin: 'document',
      name: 'Agent',
      firstParty: false,
    })
  })

  it('redeem their codes, and lose everything when an administrator disables them', async () => {
    const answer = await agent().redeem(
      await agent().signIn(newVisitor(), ada, { scope: 'openid offline_access', prompt: 'consent' }),
    )
    expect(answer.status).toBe(200)
    expect((await agent().refresh(answer.body.refresh_token)).status).toBe(200)
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(id)
    if (item === undefined) throw new Error('it is not listed')
    await resource.actions.find(({ name }) => name === 'disable')?.run(item, {}, commandLineActor)
    expect((await agent().refresh(answer.body.refresh_token)).status).toBe(401)
    expect(await visit()).toBe(400)
  })

  it('are fetched anew when their time is over, so that a redirect URI that went is refused', async () => {
    expect(await visit()).toBe(200)
    server.publish(document({ redirect_uris: [`${callback}/moved`] }))
    expect(await visit()).toBe(200)
    clock.advance(3_700)
    expect(await visit()).toBe(400)
    expect(await visit({ redirect_uri: `${callback}/moved` })).toBe(200)
  })

  it.each([
    ['names another client', { client_id: 'https://localhost/other' }],
    ['has a secret', { client_secret: 'shared' }],
    ['authenticates by one', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['leads people elsewhere', { redirect_uris: ['https://elsewhere.example/cb', callback] }],
    ['has a scheme of its own', { redirect_uris: ['com.example.app:/cb', callback] }],
    ['wants another grant', { grant_types: ['client_credentials'] }],
    ['has private keys', { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' }] } }],
  ])('are refused where the document %s', async (_what, more) => {
    server.publish(document(more))
    expect(await visit()).toBe(400)
  })

  it.each([
    ['is no JSON', '{', 200],
    ['is a list', '[]', 200],
    ['is too large', ' '.repeat(20_000), 200],
    ['is deep', '['.repeat(10_000), 200],
    ['leads on', '', 302],
    ['is not there', '{}', 404],
    ['fails', '{}', 500],
  ])('are refused where the document %s', async (_what, body, status) => {
    server.publish(body, status)
    expect(await visit()).toBe(400)
  })

  it('are asked for once while a failure is fresh', async () => {
    server.publish('{', 200)
    await visit()
    const before = server.connections()
    await visit()
    expect(server.connections()).toBe(before)
  })

  it('get no picture shown and no address of others called', async () => {
    server.publish(
      document({
        logo_uri: 'https://evil.example/logo.png',
        client_uri: 'https://bank.example/',
        jwks_uri: 'https://evil.example/keys',
      }),
    )
    const client = await latchkey.app.features.clients.clients.find(id)
    expect(client).toMatchObject({ id, firstParty: false })
    expect([client?.logoUri, client?.clientUri, client?.jwksUri]).toEqual([undefined, undefined, undefined])
  })

  it('are named by discovery', async () => {
    const discovery = await (await fetch(`${latchkey.issuer}/.well-known/oauth-authorization-server`)).json()
    expect(discovery).toMatchObject({ client_id_metadata_document_supported: true })
  })
})

describe('addresses', () => {
  const any = { documents: 'any', documentHosts: [] } as const

  it.each([
    'http://example.com/client',
    'https://example.com',
    'https://example.com/',
    'https://user@example.com/client',
    'https://user:pass@example.com/client',
    'https://example.com/a/../client',
    'https://example.com/./client',
    'https://example.com/%2e%2e/client',
    'https://example.com/client#fragment',
    'https://example.com/client?query=1',
    'https://example.com:443/client',
    'https://EXAMPLE.com/client',
    'https://exämple.com/client',
    'https://example.com\\@evil.example/client',
    'https://2130706433/client',
    'https://0x7f.1/client',
    'https://example.com/client ',
    'https:/example.com/client',
  ])('does not take %s for one', (id) => {
    expect(mayBeAsked(id, any)).toBe(false)
  })

  it('takes listed hosts alone where it is told so', () => {
    const listed = { documents: 'listed', documentHosts: ['good.example'] } as const
    expect(mayBeAsked('https://good.example/client', listed)).toBe(true)
    expect(mayBeAsked('https://sub.good.example/client', listed)).toBe(false)
    expect(mayBeAsked('https://good.example.evil.example/client', listed)).toBe(false)
    expect(mayBeAsked('https://good.example/client', { ...any, documents: 'off' })).toBe(false)
  })

  it('reaches nothing private through the flow', async () => {
    await using server = Object.assign(await startSectorServer(), {
      [Symbol.asyncDispose]: async () => {},
    })
    await using latchkey = await startLatchkey({ environment: allow })
    const { port } = new URL(server.url)
    for (const host of [
      'localhost',
      '127.0.0.1',
      '[::1]',
      '[::ffff:7f00:1]',
      '169.254.169.254',
      '10.0.0.1',
    ]) {
      const id = `https://${host}:${port}/client`
      const { status } = await application(latchkey, { id, secret: '' }).visit(newVisitor())
      expect(status).toBe(400)
    }
    expect(server.connections()).toBe(0)
    await server.close()
  })
})
