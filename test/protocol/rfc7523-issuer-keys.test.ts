import { afterAll, describe, expect, it, vi } from 'vitest'
import { type Answer, outcomes, send, times } from '../support/application.ts'
import { startIssuer, trust } from '../support/issuers.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const subject = 'system:serviceaccount:shop:importer'

describe('the keys of a trusted issuer', () => {
  afterAll(() => vi.useRealTimers())

  const begin = async (environment: Readonly<Record<string, string>> = {}) =>
    await startLatchkey({
      environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost', ...environment },
    })
  const client = (latchkey: RunningLatchkey, issuer: string, more: object = {}) =>
    latchkey.createClient({
      kind: 'service',
      name: 'Importer',
      authentication: 'federated_jwt',
      federatedCredentials: [{ issuer, subject }],
      ...more,
    })
  const ask = (latchkey: RunningLatchkey, assertion: string): Promise<Answer> =>
    send(latchkey, '/token', {
      form: {
        grant_type: 'client_credentials',
        client_assertion_type: assertionType,
        client_assertion: assertion,
      },
    })

  it('are fetched once and kept, fetched again for an unknown key, and not more often than twice a minute', async () => {
    await using latchkey = await begin()
    await using cluster = await startIssuer()
    await trust(latchkey, cluster.issuer, { jwksUri: cluster.jwksUri })
    await client(latchkey, cluster.issuer)
    const token = () => cluster.token({ sub: subject, aud: latchkey.issuer })
    expect(outcomes(await times(20, async () => ask(latchkey, await token())))).toEqual({ '200': 20 })
    expect(cluster.requests()).toBe(1)
    await cluster.rotate('second')
    // Whoever makes up key identifiers does not make the server ask each time.
    expect(outcomes(await times(5, async () => ask(latchkey, await token())))).toEqual({
      '401 invalid_client': 5,
    })
    expect(cluster.requests()).toBe(1)
    vi.setSystemTime(Date.now() + 31_000)
    expect((await ask(latchkey, await token())).status).toBe(200)
    expect(cluster.requests()).toBe(2)
    vi.useRealTimers()
  })

  it('are kept for every grant, and when the server takes new keys of its own', async () => {
    await using latchkey = await begin()
    await using cluster = await startIssuer()
    await trust(latchkey, cluster.issuer, { jwksUri: cluster.jwksUri })
    await client(latchkey, cluster.issuer, { grantTypes: ['client_credentials', jwtBearer] })
    const assertion = () => cluster.token({ sub: subject, aud: latchkey.issuer })
    const granted = async (): Promise<Answer> => {
      const form = {
        grant_type: jwtBearer,
        assertion: await assertion(),
      }
      return await send(latchkey, '/token', { form })
    }
    expect((await ask(latchkey, await assertion())).status).toBe(200)
    const published = async () => await (await fetch(`${latchkey.issuer}/jwks`)).text()
    const before = await published()
    const rotate = latchkey.app.features.signingKeys.commands?.find(
      ({ words }) => words.join(' ') === 'keys rotate',
    )
    await rotate?.run({ now: true })
    await vi.waitFor(async () => expect(await published()).not.toBe(before), { timeout: 5_000 })
    expect((await ask(latchkey, await assertion())).status).toBe(200)
    expect((await granted()).status).toBe(200)
    expect(cluster.requests()).toBe(1)
  })

  it('of an algorithm that is not allowed prove nothing, though the issuer uses them', async () => {
    await using latchkey = await begin()
    await using cluster = await startIssuer('ES384')
    await trust(latchkey, cluster.issuer)
    await client(latchkey, cluster.issuer)
    const assertion = await cluster.token({ sub: subject, aud: latchkey.issuer })
    expect(await ask(latchkey, assertion)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('that are given themselves are used without asking anybody', async () => {
    await using latchkey = await begin({ LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: '' })
    await using cluster = await startIssuer()
    await trust(latchkey, cluster.issuer, { jwks: { keys: [await cluster.publicKey()] } })
    await client(latchkey, cluster.issuer)
    expect((await ask(latchkey, await cluster.token({ sub: subject, aud: latchkey.issuer }))).status).toBe(
      200,
    )
    expect(cluster.requests()).toBe(0)
  })

  it.each([
    ['is down', { status: 503 }],
    ['leads elsewhere', { status: 302, location: '/keys' }],
    ['answers with too much', { status: 200, body: ' '.repeat(100_000) }],
    ['answers with nonsense', { status: 200, body: 'null' }],
    [
      'speaks for another issuer',
      { status: 200, body: '{"issuer":"https://elsewhere.test","jwks_uri":"http://localhost:1/"}' },
    ],
  ])(
    'are missing where their server %s: 503, no token, and no second question for a while',
    async (_what, answer) => {
      await using latchkey = await begin()
      await using cluster = await startIssuer()
      await trust(latchkey, cluster.issuer)
      await client(latchkey, cluster.issuer)
      cluster.answerWith(answer)
      const assertion = await cluster.token({ sub: subject, aud: latchkey.issuer })
      expect(await ask(latchkey, assertion)).toMatchObject({
        status: 503,
        body: { error: 'temporarily_unavailable' },
      })
      cluster.answerWith(undefined)
      vi.setSystemTime(Date.now() + 6_000)
      expect((await ask(latchkey, assertion)).status).toBe(200)
      vi.useRealTimers()
    },
  )

  it.each([
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '169.254.169.254',
  ])('are never asked for at %s, unless configured', async (host) => {
    await using latchkey = await begin({ LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: '' })
    await using cluster = await startIssuer()
    const { port } = new URL(cluster.issuer)
    await trust(latchkey, cluster.issuer, { jwksUri: `https://${host}:${port}/keys` })
    await client(latchkey, cluster.issuer)
    const assertion = await cluster.token({ sub: subject, aud: latchkey.issuer })
    expect(await ask(latchkey, assertion)).toMatchObject({ status: 503 })
    expect(cluster.requests()).toBe(0)
  })
})
