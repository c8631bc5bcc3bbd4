import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { ada, redirectUri } from '../support/front-door.ts'
import { type Held, holdNext, whileHeld } from '../support/holding.ts'
import { openSecondStep, type SecondStep } from '../support/second-step.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

let house: SecondStep
beforeEach(async () => {
  house = await openSecondStep({ client: { firstParty: false } })
})
afterEach(() => house[Symbol.asyncDispose]())

const features = () => house.latchkey.app.features
const rows = () => house.latchkey.app.storage.db

async function reset(): Promise<void> {
  const { passwords } = features().passwords
  const { url } = await passwords.issueLink(house.adaId, 'reset', { actor: commandLineActor })
  const token = new URL(url).searchParams.get('token') ?? ''
  await passwords.chooseByLink({ token, password: 'a quite different engine 1845' })
}

/** The password is reset while what `send` has sent is held. */
const resetDuring = (held: Held, send: () => Promise<Page>): Promise<Page> => whileHeld(held, send, reset)

const give = async (visitor: Visitor, page: Page): Promise<Page> => {
  const form = { identifier: ada.email, password: ada.password }
  return await house.onward(visitor, await visitor.submit(page, form, { action: '/password' }))
}

const codeIn = ({ location = '' }: Page): string => {
  expect(location.startsWith(`${redirectUri}?`)).toBe(true)
  return new URL(location).searchParams.get('code') ?? ''
}

describe('a second step for which a session stands as the first', () => {
  it('leaves no trusted browser behind where the password is reset meanwhile, at whatever point', async () => {
    for (const point of [
      () => holdNext(features().attempts.attempts, 'epochOf'),
      () => holdNext(features().attempts.attempts, 'add', 'after'),
      () => holdNext(features().trustedDevices.trustedDevices, 'remember'),
    ]) {
      const { visitor } = await house.atAccount(ada)
      const key = await house.addApp(visitor)
      const page = await house.begin(visitor, { acr_values: 'urn:latchkey:acr:multi-factor' })
      const fields = { code: house.codeNow(key), trust: 'yes' }
      const answer = await resetDuring(point(), () => visitor.submit(page, fields, { action: '/totp' }))
      expect(answer.status).toBe(409)
      expect(await rows().trustedDevice.count()).toBe(0)
      const open = { userId: house.adaId, model: { not: 'Interaction' } }
      expect(await rows().artefact.count({ where: open })).toBe(0)
      await house[Symbol.asyncDispose]()
      house = await openSecondStep({ client: { firstParty: false } })
    }
  })
})

describe('a sign-in that is led back into the protocol more than once', () => {
  it('stands in the audit once', async () => {
    const visitor = newVisitor()
    const page = await house.begin(visitor)
    const form = { identifier: ada.email, password: ada.password }
    const answer = await visitor.submit(page, form, { action: '/password' })
    for (let count = 0; count < 3; count += 1) expect((await visitor.get(page.url)).status).toBe(303)
    expect((await visitor.follow(answer)).text).toContain('/consent')
    expect(await rows().auditEvent.count({ where: { action: 'login.signed_in' } })).toBe(1)
  })
})

describe('a consent that is given in one tab', () => {
  it('counts though the person has proven himself anew in another, and changed how he signs in', async () => {
    const visitor = newVisitor()
    const consent = await give(visitor, await house.begin(visitor))
    house.clock.advance(700)
    const anew = await visitor.follow(await house.account(visitor, 'security/totp/add'))
    expect((await give(visitor, anew)).status).toBe(200)
    await house.addApp(visitor)
    const done = await house.onward(visitor, await visitor.submit(consent, {}, { action: '/consent' }))
    expect(codeIn(done)).not.toBe('')
    const models = (await rows().artefact.findMany({ where: { userId: house.adaId } })).map(
      ({ model }) => model,
    )
    expect(models).toEqual(expect.arrayContaining(['AuthorizationCode', 'Grant', 'Session']))
    expect((await house.account(visitor, 'security')).status).toBe(200)
  })

  it('counts for nothing where the password was reset since', async () => {
    const visitor = newVisitor()
    const consent = await give(visitor, await house.begin(visitor))
    await reset()
    const done = await house.onward(visitor, await visitor.submit(consent, {}, { action: '/consent' }))
    expect(done.location ?? '').not.toContain('code=')
    const open = { userId: house.adaId, model: { notIn: ['Interaction'] } }
    expect(await rows().artefact.count({ where: open })).toBe(0)
    expect((await house.account(visitor, 'security')).location).toContain('/auth?')
  })
})
