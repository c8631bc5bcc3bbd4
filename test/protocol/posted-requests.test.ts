/** Authorization requests by POST (OpenID Connect Core 1.0 §3.1.2.1); those of a logout stand with that specification. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callback, codeIn, outcomes, register, walk } from '../support/application.ts'
import { freePort, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { answered } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const foreign = { origin: 'http://localhost:9999' }

let latchkey: RunningLatchkey
beforeAll(async () => {
  latchkey = await startLatchkey()
  await latchkey.createUser(ada)
})
afterAll(() => latchkey.close())

it('are answered as those by GET', async () => {
  const shop = await register(latchkey)
  const visitor = newVisitor()
  const { params, verifier } = await shop.begin({ state: 'a b&c', nonce: 'ü' })
  const posted = await visitor.post(`${latchkey.issuer}/auth`, params, foreign)
  expect([posted.status, posted.headers.get('cache-control')]).toEqual([303, 'no-store'])
  const arrived = await walk(visitor, posted, ada)
  expect(answered(arrived.location).state).toBe('a b&c')
  expect(outcomes([await shop.redeem({ code: codeIn(arrived), verifier })])).toEqual({ 200: 1 })
})

it('are answered below the path of an issuer', async () => {
  const port = await freePort()
  await using house = await startLatchkey({
    environment: { PORT: String(port), LATCHKEY_ISSUER: `http://localhost:${port}/id` },
  })
  await house.createUser(ada)
  const shop = await register(house)
  const visitor = newVisitor()
  const { params } = await shop.begin()
  const posted = await visitor.post(`${house.issuer}/auth`, params, foreign)
  expect(posted.location).toMatch(new RegExp(`^${house.issuer}/auth\\?`))
  expect(codeIn(await walk(visitor, posted, ada))).not.toBe('')
})

it('are refused where they are wrong, repeated, too long or no form', async () => {
  const shop = await register(latchkey)
  const { params } = await shop.begin()
  const visitor = newVisitor()
  const ask = async (changes: Readonly<Record<string, string>>) =>
    await visitor.follow(await visitor.post(`${latchkey.issuer}/auth`, { ...params, ...changes }, foreign))
  expect((await ask({ redirect_uri: 'https://evil.test/' })).status).toBe(400)
  expect(answered((await ask({ code_challenge_method: 'plain' })).location)).toHaveProperty('error')
  expect((await ask({ state: 'x'.repeat(9_000) })).status).toBe(413)
  const raw = (body: string, type = 'application/x-www-form-urlencoded') =>
    fetch(`${latchkey.issuer}/auth`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
      redirect: 'manual',
    })
  const twice = await raw(`${new URLSearchParams(params)}&redirect_uri=${encodeURIComponent(callback)}`)
  const page = await visitor.get(new URL(twice.headers.get('location') ?? '', latchkey.issuer).href)
  expect([page.status, page.location]).toEqual([400, undefined])
  expect((await raw(JSON.stringify(params), 'application/json')).status).toBe(415)
  expect((await raw('client_id=%00')).status).toBe(400)
  const split = await raw(`client_id=${shop.id}&state=%0d%0aset-cookie:%20a=b`)
  expect(split.headers.get('set-cookie')).toBeNull()
})
