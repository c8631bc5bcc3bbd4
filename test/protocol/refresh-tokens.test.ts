import { describe, expect, it } from 'vitest'
import { outcomes, register, spread, times, userinfo } from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { countGrants, countOrphans } from '../support/grants.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

const person = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const attempts = 20

describe('a refresh token of a public client', () => {
  it('is renewed by one of 20 parallel attempts, and the attempts to reuse it end the family', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'spa' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const answers = await times(attempts, () => app.refresh(first.refresh_token))
    expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
    const second = answers.find(({ status }) => status === 200)?.body
    expect(second?.refresh_token).not.toBe(first.refresh_token)
    expect(outcomes([await app.refresh(second?.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    for (const token of [first.access_token, second?.access_token]) {
      expect(await userinfo(latchkey, token)).toMatchObject({ status: 401 })
    }
    expect(await countGrants(latchkey)).toBe(0)
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('is renewed once when it comes to two processes at the same time', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'native' })
    const { body } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const answers = await times(attempts, (index) =>
      app.refresh(body.refresh_token, spread([latchkey, other], index)),
    )
    expect(outcomes(answers)).toEqual({ 200: 1, '400 invalid_grant': attempts - 1 })
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('ends the family when it comes again after it was renewed', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'native' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const { body: second } = await app.refresh(first.refresh_token)
    const { body: third, status } = await app.refresh(second.refresh_token)
    expect(status).toBe(200)
    expect(outcomes([await app.refresh(first.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(outcomes([await app.refresh(third.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(await userinfo(latchkey, third.access_token)).toMatchObject({ status: 401 })
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('is of no use to another client, which cannot end the family with it either', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'spa' })
    const thief = await register(latchkey, { kind: 'spa', name: 'Thief' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    const { body: second } = await app.refresh(first.refresh_token)
    for (const token of [first.refresh_token, second.refresh_token]) {
      expect(outcomes([await thief.refresh(token)])).toEqual({ '400 invalid_grant': 1 })
    }
    expect((await app.refresh(second.refresh_token)).status).toBe(200)
  })

  it('stops when it was not used for its idle time', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({
      clock,
      environment: { LATCHKEY_PROVIDER_REFRESH_TOKEN_IDLE_SECONDS: '300' },
    })
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'spa' })
    const { body: first } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    clock.advance(290)
    const { body: second, status } = await app.refresh(first.refresh_token)
    expect(status).toBe(200)
    clock.advance(301)
    expect(outcomes([await app.refresh(second.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
  })

  it('cannot be renewed beyond the absolute limit, however often it is used', async () => {
    const clock = movableClock()
    const environment = {
      LATCHKEY_PROVIDER_REFRESH_TOKEN_IDLE_SECONDS: '300',
      LATCHKEY_PROVIDER_REFRESH_TOKEN_MAXIMUM_SECONDS: '600',
    }
    await using latchkey = await startLatchkey({ clock, environment })
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'spa' })
    let { body } = await app.redeem(await app.signIn(newVisitor(), person, offline))
    for (const _use of [1, 2]) {
      clock.advance(250)
      const answer = await app.refresh(body.refresh_token)
      expect(answer.status).toBe(200)
      body = answer.body
    }
    clock.advance(101)
    expect(outcomes([await app.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
  })
})

describe('a refresh token of a confidential client', () => {
  it('stays the same, so that parallel uses all succeed', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const shop = await register(latchkey)
    const { body } = await shop.redeem(await shop.signIn(newVisitor(), person, offline))
    const answers = await times(5, () => shop.refresh(body.refresh_token))
    expect(outcomes(answers)).toEqual({ 200: 5 })
    expect(new Set(answers.map((answer) => answer.body.refresh_token))).toEqual(new Set([body.refresh_token]))
  })
})
