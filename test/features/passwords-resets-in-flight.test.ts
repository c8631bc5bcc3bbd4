import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import { ada, redirectUri } from '../support/front-door.ts'
import { type Held, holdNext, whileHeld } from '../support/holding.ts'
import { keyOn, openSecondStep, type SecondStep } from '../support/second-step.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const renewed = { email: ada.email, password: 'a quite different engine 1845' }
const ended = 'This ended while it was under way'
const atTheShop = (page: Page): boolean => page.location?.startsWith(`${redirectUri}?code=`) === true

let house: SecondStep
beforeEach(async () => {
  house = await openSecondStep()
})
afterEach(() => house[Symbol.asyncDispose]())

const features = () => house.latchkey.app.features
const rows = () => house.latchkey.app.storage.db

async function linkToken(): Promise<string> {
  const { passwords } = features().passwords
  const { url } = await passwords.issueLink(house.adaId, 'reset', { actor: commandLineActor })
  return new URL(url).searchParams.get('token') ?? ''
}

const choose = async (token: string): Promise<void> =>
  void (await features().passwords.passwords.chooseByLink({ token, password: renewed.password }))

const reset = async (): Promise<void> => await choose(await linkToken())

/** The password is reset while what `send` has sent is held. */
const resetDuring = (held: Held, send: () => Promise<Page>): Promise<Page> => whileHeld(held, send, reset)

/** Nobody is signed in, nothing was given, and the browser has nothing in hand. */
async function nothingIsOpen(visitor: Visitor): Promise<void> {
  expect(await rows().artefact.count({ where: { userId: house.adaId, model: { not: 'Interaction' } } })).toBe(
    0,
  )
  expect((await house.begin(visitor, { prompt: 'none' })).location).toContain('error=login_required')
}

const givePassword = async (
  visitor: Visitor,
  { email, password }: Readonly<Record<'email' | 'password', string>> = ada,
): Promise<Page> =>
  await visitor.submit(await house.begin(visitor), { identifier: email, password }, { action: '/password' })

describe('a sign-in with the old password, under way while the password is reset, ends without a session', () => {
  it('where the password was accepted, and the proof is not put down yet', async () => {
    const visitor = newVisitor()
    const held = holdNext(features().attempts.attempts, 'add')
    const answer = await resetDuring(held, () => givePassword(visitor))
    expect([answer.status, answer.text.includes(ended)]).toEqual([409, true])
    await nothingIsOpen(visitor)
  })

  it('where the proof was put down, and read for the last time', async () => {
    const visitor = newVisitor()
    const held = holdNext(features().users.users, 'find', 'after')
    const answer = await resetDuring(held, () => givePassword(visitor))
    const page = await house.onward(visitor, answer)
    expect([page.status, page.text.includes('type="password"')]).toEqual([200, true])
    await nothingIsOpen(visitor)
  })

  it('where all was looked at, and the protocol is about to take it', async () => {
    const visitor = newVisitor()
    const held = holdNext(features().attempts.attempts, 'settle', 'after')
    const answer = await resetDuring(held, () => givePassword(visitor))
    await house.onward(visitor, answer)
    await nothingIsOpen(visitor)
  })

  it('where the protocol has taken it, and the session is about to be written', async () => {
    const visitor = newVisitor()
    const page = await givePassword(visitor)
    expect(page.location).toContain('/auth/')
    const held = holdNext(features().users.users, 'mayIssue')
    await house.onward(visitor, await resetDuring(held, () => visitor.get(page.location ?? '')))
    await nothingIsOpen(visitor)
  })

  it('where it is to take the place of a session that is there', async () => {
    const visitor = newVisitor()
    await house.onward(visitor, await givePassword(visitor))
    const form = await house.begin(visitor, { prompt: 'login' })
    const page = await visitor.submit(form, { password: ada.password }, { action: '/password' })
    const held = holdNext(features().users.users, 'mayIssue')
    await house.onward(visitor, await resetDuring(held, () => visitor.get(page.location ?? '')))
    await nothingIsOpen(visitor)
  })
})

describe('a reset and a sign-in whose transactions meet', () => {
  it('leave no session where the reset is first: the proof waits for it, and counts for nothing', async () => {
    const visitor = newVisitor()
    const proof = holdNext(features().attempts.attempts, 'add')
    const answer = givePassword(visitor)
    await proof.reached
    // All of it is written, and nothing committed.
    const token = await linkToken()
    const resetting = holdNext(features().audit.audit, 'recordIn')
    const done = choose(token)
    await resetting.reached
    proof.release()
    resetting.release()
    await done
    expect((await answer).status).toBe(409)
    await nothingIsOpen(visitor)
  })

  it('leave no session where the sign-in is first: the reset waits for it, and ends it', async () => {
    const visitor = newVisitor()
    const page = await givePassword(visitor)
    const writing = holdNext(features().attempts.attempts, 'stands', 'after')
    const answer = visitor.get(page.location ?? '')
    await writing.reached
    const done = reset()
    writing.release()
    await Promise.all([answer, done])
    await nothingIsOpen(visitor)
  })

  it('leave no trusted browser, whichever is first', async () => {
    const { visitor } = await house.atAccount(ada)
    const key = await house.addApp(visitor)
    const attacker = newVisitor()
    const page = await house.atSecondStep(attacker)
    const trusting = holdNext(features().attempts.attempts, 'requireOpen', 'after')
    const form = { code: house.codeNow(key), trust: 'yes' }
    const answer = attacker.submit(page, form, { action: '/totp' })
    await trusting.reached
    const done = reset()
    trusting.release()
    await Promise.all([answer, done])
    await house.onward(attacker, await answer)
    expect(await rows().trustedDevice.count()).toBe(0)
    await nothingIsOpen(attacker)
  })
})

describe('a sign-in that was not under way then', () => {
  it('ends with a session: with the new password at the same instant, or of somebody else', async () => {
    await reset()
    const visitor = newVisitor()
    expect(atTheShop(await house.onward(visitor, await givePassword(visitor, renewed)))).toBe(true)
    const other = { email: 'eve@example.test', name: 'Eve', password: 'nobody guesses this 1' }
    await house.latchkey.createUser(other)
    const second = newVisitor()
    const held = holdNext(features().attempts.attempts, 'add')
    const answer = await resetDuring(held, () => givePassword(second, other))
    expect(atTheShop(await house.onward(second, answer))).toBe(true)
  })

  it('ends with a session in each of two requests that lead back into the protocol at once', async () => {
    const visitor = newVisitor()
    const page = await givePassword(visitor)
    const again = visitor.clone()
    const held = holdNext(features().users.users, 'mayIssue')
    const first = visitor.get(page.location ?? '')
    await held.reached
    await again.get(page.location ?? '')
    held.release()
    expect(atTheShop(await first)).toBe(true)
    expect(atTheShop(await house.begin(visitor, { prompt: 'none' }))).toBe(true)
  })
})

describe('a second step that is proven while the password is reset', () => {
  const atSecondStep = async () => {
    const { visitor } = await house.atAccount(ada)
    const key = await house.addApp(visitor)
    const attacker = newVisitor()
    const page = await house.atSecondStep(attacker)
    const send = () => attacker.submit(page, { code: house.codeNow(key), trust: 'yes' }, { action: '/totp' })
    return { attacker, send }
  }

  it('leaves no trusted browser behind, whenever the reset comes', async () => {
    for (const point of [
      () => holdNext(features().attempts.attempts, 'epochOf'),
      () => holdNext(features().attempts.attempts, 'add'),
      () => holdNext(features().attempts.attempts, 'add', 'after'),
      () => holdNext(features().trustedDevices.trustedDevices, 'remember'),
    ]) {
      const { attacker, send } = await atSecondStep()
      const answer = await resetDuring(point(), send)
      expect(answer.status).toBe(409)
      expect(await rows().trustedDevice.count()).toBe(0)
      await nothingIsOpen(attacker)
      await house[Symbol.asyncDispose]()
      house = await openSecondStep()
    }
  })

  it('counts for nothing without the first one, which the reset has ended', async () => {
    const { send } = await atSecondStep()
    await resetDuring(holdNext(features().attempts.attempts, 'add'), send)
    expect(await rows().signInAttempt.count({ where: { userId: house.adaId } })).toBe(0)
  })
})

describe('what a stolen session asks for while the password is reset', () => {
  const stolen = async (path = 'security') => (await house.atAccount(ada, path)).visitor
  const refused = async (answer: Page): Promise<void> =>
    expect([answer.status, answer.text.includes(ended)]).toEqual([409, true])

  it('asks for no other address', async () => {
    const visitor = await stolen()
    const page = await house.account(visitor, 'profile/address/change')
    const held = holdNext(features().addresses.addresses, 'askToChange')
    const form = { email: 'evil@example.test' }
    await refused(await resetDuring(held, () => visitor.submit(page, form, { action: '/address/change' })))
    expect(await rows().addressProof.count({ where: { consumedAt: null } })).toBe(0)
    expect((await house.latchkey.mails()).map(({ to }) => to)).not.toContain('evil@example.test')
  })

  it('has no mail sent once more that would prove another address', async () => {
    const visitor = await stolen()
    const page = await house.account(visitor, 'profile/address/change')
    await visitor.submit(page, { email: 'evil@example.test' }, { action: '/address/change' })
    house.clock.advance(120)
    const profile = await visitor.get(`${house.latchkey.issuer}/account`)
    // Held where the change that waits was found, and is about to be asked for again.
    const held = holdNext(features().attempts.challenges, 'put')
    await refused(await resetDuring(held, () => visitor.submit(profile, {}, { action: '/address/again' })))
    expect(await rows().addressProof.count({ where: { consumedAt: null } })).toBe(0)
  })

  it('proves no other address, whose code it has', async () => {
    const visitor = await stolen()
    const page = await house.account(visitor, 'profile/address/change')
    await visitor.submit(page, { email: 'evil@example.test' }, { action: '/address/change' })
    const { code = '' } =
      (await house.latchkey.mails()).findLast(({ to }) => to === 'evil@example.test') ?? {}
    const profile = await visitor.get(`${house.latchkey.issuer}/account`)
    const held = holdNext(features().attempts.challenges, 'attempt', 'after')
    await resetDuring(held, () => visitor.submit(profile, { code }, { action: '/address/confirm' }))
    const user = await features().users.users.get(house.adaId as UserId)
    expect(user.email).toBe(ada.email)
  })

  it('adds no authenticator app', async () => {
    const visitor = await stolen()
    const page = await house.account(visitor, 'security/totp/add')
    const form = { code: house.codeNow(keyOn(page)), name: 'Phone' }
    const held = holdNext(features().attempts.challenges, 'take', 'after')
    await refused(await resetDuring(held, () => visitor.submit(page, form, { action: '/totp/add' })))
    expect(await rows().totpAuthenticator.count()).toBe(0)
  })

  it('makes no recovery codes', async () => {
    const visitor = await stolen()
    const page = await house.account(visitor, 'security/recovery-codes/make')
    const held = holdNext(features().attempts.challenges, 'take', 'after')
    const send = () => visitor.submit(page, { saved: 'yes' }, { action: '/recovery-codes/make' })
    await refused(await resetDuring(held, send))
    expect(await rows().recoveryCode.count()).toBe(0)
  })

  it('changes no password, not even where there was none', async () => {
    const visitor = await stolen()
    await rows().password.deleteMany({ where: { userId: house.adaId } })
    const page = await house.account(visitor, 'security/password/change')
    const held = holdNext(features().users.users, 'get')
    const send = () =>
      visitor.submit(page, { password: 'what the thief wants 1' }, { action: '/password/change' })
    expect((await resetDuring(held, send)).status).toBe(409)
    const owner = newVisitor()
    expect(atTheShop(await house.onward(owner, await givePassword(owner, renewed)))).toBe(true)
  })

  it('has the account deleted neither later nor at once', async () => {
    for (const waitSeconds of ['604800', '0']) {
      await house[Symbol.asyncDispose]()
      house = await openSecondStep({ environment: { LATCHKEY_DEPARTURES_WAIT_SECONDS: waitSeconds } })
      const visitor = await stolen()
      const page = await house.account(visitor, 'data')
      const held = holdNext(features().departures.departures, 'request')
      const form = { confirmation: ada.email }
      await refused(
        await resetDuring(held, () => visitor.submit(page, form, { action: '/departure/delete' })),
      )
      expect([
        await rows().departure.count(),
        await rows().user.count({ where: { id: house.adaId } }),
      ]).toEqual([0, 1])
    }
  })
})
