import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { algorithms, encryptionAlgorithms } from '../../src/features/signing-keys/signing-keys.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered, discover, type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const api = 'https://orders.example.test'
const daySeconds = 86_400
/** After all keys were replaced: those that signed are published on, and those that only decrypt are not. */
const replaced = 2 * algorithms.length - encryptionAlgorithms.length
/** Other instances, and on PostgreSQL this one too, hear of a change a moment later. */
const eventually = <T>(assertion: () => Promise<T>): Promise<T> => vi.waitFor(assertion, { timeout: 5_000 })

describe('rotation of keys while serving', () => {
  afterEach(() => void vi.useRealTimers())

  const command = async (
    { app }: RunningLatchkey,
    words: string,
    input: Readonly<Record<string, unknown>> = {},
  ): Promise<void> => {
    const found = app.features.signingKeys.commands?.find((each) => each.words.join(' ') === words)
    if (found === undefined) throw new Error(`There is no command ${words}.`)
    await found.run(input)
  }
  const runJob = async ({ app }: RunningLatchkey): Promise<void> => {
    for (const job of app.features.signingKeys.jobs ?? []) await job.run()
  }
  const keysOf = async ({ issuer }: RunningLatchkey): Promise<JSONWebKeySet> =>
    (await (await fetch(`${issuer}/jwks`)).json()) as JSONWebKeySet
  const kidsOf = async (latchkey: RunningLatchkey): Promise<readonly (string | undefined)[]> =>
    (await keysOf(latchkey)).keys.map(({ kid }) => kid).toSorted()
  const kid = (token: string): string | undefined => decodeProtectedHeader(token).kid
  const verifies = async (token: string, keys: JSONWebKeySet): Promise<boolean> =>
    compactVerify(token, createLocalJWKSet(keys)).then(
      () => true,
      () => false,
    )

  interface Parties {
    readonly shop: RelyingParty
    readonly service: openid.Configuration
  }
  const open = async (latchkey: RunningLatchkey): Promise<Parties> => {
    await latchkey.createUser(ada)
    await latchkey.createApi({
      indicator: api,
      name: 'Orders',
      scopes: [{ name: 'orders:read' }],
      tokenAlgorithm: 'ES256',
    })
    const { id, secret } = await latchkey.createClient({
      kind: 'service',
      name: 'Importer',
      scopes: ['orders:read'],
    })
    return {
      shop: await relyingParty(latchkey, { name: 'Shop', firstParty: true, idTokenAlgorithm: 'EdDSA' }),
      service: await discover(latchkey.issuer, id, openid.ClientSecretBasic(secret)),
    }
  }
  const accessToken = async ({ service }: Parties): Promise<string> =>
    (await openid.clientCredentialsGrant(service, { resource: api, scope: 'orders:read' })).access_token
  const idToken = async ({ shop }: Parties): Promise<string> =>
    (await shop.signIn(newVisitor(), ada)).id_token ?? ''

  it('publishes the next keys first, signs with them a day later, and no cached key set ever fails', async () => {
    await using latchkey = await startLatchkey()
    const parties = await open(latchkey)
    const old = [await accessToken(parties), await idToken(parties)]
    const before = await kidsOf(latchkey)

    await command(latchkey, 'keys rotate')
    await eventually(async () => expect(await kidsOf(latchkey)).toHaveLength(2 * algorithms.length))
    expect(await kidsOf(latchkey)).toEqual(expect.arrayContaining([...before]))
    const cached = await keysOf(latchkey)
    expect(kid(await accessToken(parties))).toBe(kid(old[0] ?? ''))

    vi.setSystemTime(Date.now() + (daySeconds - 60) * 1000)
    await runJob(latchkey)
    expect(kid(await accessToken(parties))).toBe(kid(old[0] ?? ''))

    vi.setSystemTime(Date.now() + 120 * 1000)
    await runJob(latchkey)
    await eventually(async () => expect(kid(await accessToken(parties))).not.toBe(kid(old[0] ?? '')))
    const fresh = [await accessToken(parties), await idToken(parties)]
    expect(kid(fresh[1] ?? '')).not.toBe(kid(old[1] ?? ''))
    // An application that fetched the key set before the change reads the new tokens; the old ones are still read by all.
    const now = await keysOf(latchkey)
    for (const token of [...old, ...fresh])
      expect([await verifies(token, cached), await verifies(token, now)]).toEqual([true, true])
  })

  it('removes retired keys once nothing they signed can be valid any more', async () => {
    await using latchkey = await startLatchkey()
    const { keys } = await keysOf(latchkey)
    const before = keys.filter(({ use }) => use === 'sig').map(({ kid: each }) => each)
    await command(latchkey, 'keys rotate', { immediately: true })
    await eventually(async () => expect(await kidsOf(latchkey)).toHaveLength(replaced))
    vi.setSystemTime(Date.now() + 29 * daySeconds * 1000)
    await runJob(latchkey)
    expect(await kidsOf(latchkey)).toEqual(expect.arrayContaining([...before]))
    vi.setSystemTime(Date.now() + 2 * daySeconds * 1000)
    await runJob(latchkey)
    await eventually(async () => expect(await kidsOf(latchkey)).toHaveLength(algorithms.length))
    expect((await kidsOf(latchkey)).filter((each) => before.includes(each))).toEqual([])
  })

  it('signs with new keys at once where told to, of one algorithm where told to', async () => {
    await using latchkey = await startLatchkey()
    const parties = await open(latchkey)
    const old = [await accessToken(parties), await idToken(parties)]
    await command(latchkey, 'keys rotate', { immediately: true, algorithm: 'ES256' })
    await eventually(async () => expect(kid(await accessToken(parties))).not.toBe(kid(old[0] ?? '')))
    expect(kid(await idToken(parties))).toBe(kid(old[1] ?? ''))
    expect(await kidsOf(latchkey)).toHaveLength(algorithms.length + 1)
    expect(await verifies(old[0] ?? '', await keysOf(latchkey))).toBe(true)
  })

  it('accepts a hint that an earlier key signed', async () => {
    await using latchkey = await startLatchkey()
    const { shop } = await open(latchkey)
    const visitor = newVisitor()
    const hint = (await shop.signIn(visitor, ada)).id_token ?? ''
    await command(latchkey, 'keys rotate', { immediately: true })
    await eventually(async () => expect(await kidsOf(latchkey)).toHaveLength(replaced))
    const page = await visitor.get((await shop.request({ prompt: 'none', id_token_hint: hint })).url)
    expect(answered(page.location).code).toBeDefined()
  })

  it('reaches every instance over the same database', async () => {
    await using latchkey = await startLatchkey()
    await using second = await startLatchkey({ databaseUrl: latchkey.databaseUrl })
    expect(await kidsOf(second)).toEqual(await kidsOf(latchkey))
    await command(latchkey, 'keys rotate', { immediately: true })
    await eventually(async () => expect(await kidsOf(second)).toHaveLength(replaced))
    await eventually(async () => expect(await kidsOf(second)).toEqual(await kidsOf(latchkey)))
  })

  it('of the cookie key keeps the sessions of the browsers that come by between two rotations', async () => {
    await using latchkey = await startLatchkey()
    const { shop } = await open(latchkey)
    const regular = newVisitor()
    await shop.signIn(regular, ada)
    const absent = regular.clone()
    const arrives = async (visitor = regular): Promise<unknown> =>
      answered((await visitor.get((await shop.request({ prompt: 'none' })).url)).location).error
    for (const _turn of [1, 2, 3]) {
      const probe = regular.clone()
      await command(latchkey, 'keys rotate-cookies')
      await eventually(async () => expect(await isSignedAnew(latchkey, probe)).toBe(true))
      expect(await arrives()).toBeUndefined()
    }
    expect(await arrives(absent)).toBe('login_required')
  })

  /** Whether a browser that is signed in gets a new signature for the session cookie that it shows. */
  const isSignedAnew = async ({ issuer }: RunningLatchkey, { cookies }: Visitor): Promise<boolean> => {
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const response = await fetch(`${issuer}/account`, { headers: { cookie }, redirect: 'manual' })
    expect(response.status).toBe(200)
    return response.headers.getSetCookie().some((line) => line.startsWith('latchkey_session.sig='))
  }

  it('fails no request that is under way, and every token verifies', async () => {
    await using latchkey = await startLatchkey()
    const parties = await open(latchkey)
    const visitor = newVisitor()
    const { access_token: bearer } = await parties.shop.signIn(visitor, ada)
    const tokens: string[] = []
    let rotating = true
    const load = async (): Promise<void> => {
      while (rotating || tokens.length < 20) {
        tokens.push(await accessToken(parties))
        const request = await parties.shop.request({ prompt: 'none' })
        tokens.push(
          (await parties.shop.redeem(request, (await visitor.clone().get(request.url)).location)).id_token ??
            '',
        )
        expect(
          (await fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${bearer}` } })).status,
        ).toBe(200)
        expect((await fetch(`${latchkey.issuer}/jwks`)).status).toBe(200)
      }
    }
    const workers = Array.from({ length: 6 }, load)
    for (const algorithm of ['ES256', 'EdDSA', 'ES256', 'EdDSA', 'RS256'])
      await command(latchkey, 'keys rotate', { immediately: true, algorithm })
    await command(latchkey, 'keys rotate-cookies')
    rotating = false
    await Promise.all(workers)
    const keys = await eventually(async () => {
      const published = await keysOf(latchkey)
      expect(published.keys).toHaveLength(algorithms.length + 5)
      return published
    })
    expect(new Set(tokens.map(kid)).size).toBeGreaterThan(2)
    for (const token of tokens)
      expect((await jwtVerify(token, createLocalJWKSet(keys), { issuer: latchkey.issuer })).payload.iss).toBe(
        latchkey.issuer,
      )
  })
})
