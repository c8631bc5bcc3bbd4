import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { ada, auditOf, type FrontDoor, grace, interactionPath, openFrontDoor } from '../support/front-door.ts'
import { begin, codeFor, hasArrived, registrationOpen, typeCode } from '../support/registering.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const termsUrl = 'https://www.example.test/terms'
const version = '2026-03 "second"'
const environment = {
  ...registrationOpen,
  LATCHKEY_TERMS_URL: termsUrl,
  LATCHKEY_TERMS_VERSION: version,
  LATCHKEY_TERMS_PRIVACY_URL: 'https://www.example.test/privacy',
  LATCHKEY_PROFILES_FIELDS: 'nickname register required',
}

let door: FrontDoor
let clock: FixedClock
let graceId: string
beforeAll(async () => {
  clock = fixedClock(new Date())
  door = await openFrontDoor({ clock, environment })
  graceId = await door.latchkey.createUser(grace)
})
afterAll(() => door[Symbol.asyncDispose]())

const accepted = async (userId: string) =>
  (await door.latchkey.app.storage.db.termsAcceptance.findMany({ where: { userId } })).map(
    (row) => row.version,
  )
const enter = async (visitor: Visitor, { email, password }: typeof ada): Promise<Page> => {
  const form = await door.begin(visitor)
  const answer = await visitor.submit(form, { identifier: email, password }, { action: '/password' })
  return await visitor.follow(answer)
}

describe('the terms on the form of a new account', () => {
  const filled = (email: string) => ({ email, nickname: 'Nell' })

  it('have to be accepted, in the version that is in force', async () => {
    for (const terms of [undefined, '', 'on', '2026-02', 'x'.repeat(150)]) {
      const fields = { ...filled('nell@example.test'), ...(terms !== undefined && { terms }) }
      const answer = await begin(door, newVisitor(), fields)
      expect([terms, answer.status]).toEqual([terms, 400])
      expect(answer.text).toContain('id="terms-error"')
      expect(answer.text).toContain(`href="${termsUrl}"`)
    }
  })

  it('are kept with the account, as are the fields that are asked for, and are not asked for again', async () => {
    const visitor = newVisitor()
    const email = 'nell@example.test'
    expect((await begin(door, newVisitor(), { email, terms: version })).text).toContain('id="nickname-error"')
    const sent = await begin(door, visitor, { ...filled(email), terms: version })
    expect(hasArrived(await typeCode(visitor, sent, await codeFor(door, email)))).toBe(true)
    const { db } = door.latchkey.app.storage
    const user = await db.user.findUniqueOrThrow({ where: { emailKey: email }, include: { profile: true } })
    expect(JSON.parse(user.profile?.fields ?? '{}')).toEqual({ nickname: 'Nell' })
    expect(await accepted(user.id)).toEqual([version])
    const events = (await auditOf(door.latchkey)).filter(({ userId }) => userId === user.id)
    expect(events.find(({ action }) => action === 'terms.accepted')?.detail).toContain('2026-03')
    const copy = await door.latchkey.app.features.terms.export?.(user.id as never)
    expect(copy).toEqual([{ version, acceptedAt: clock.now().toISOString() }])
  })
})

describe('the terms in the middle of a sign-in', () => {
  it('are shown to who has not accepted them, and end the sign-in when he declines', async () => {
    const visitor = newVisitor()
    const page = await enter(visitor, ada)
    expect(page.text).toContain(`href="${termsUrl}"`)
    expect(page.text).toContain('name="terms"')
    const declined = await visitor.submit(page, {}, { action: '/then/terms' })
    expect(declined.status).toBe(400)
    expect(declined.text).toContain('id="terms-error"')
    const path = `${door.latchkey.issuer}${interactionPath(page)}`
    const { _csrf = '' } = formsOf(page)[0]?.fields ?? {}
    const left = await visitor.follow(await visitor.post(`${path}/abort`, { _csrf }))
    expect(left.location).toContain('error=access_denied')
    expect(await accepted(door.adaId)).toEqual([])
    expect((await door.begin(visitor)).text).toContain('name="identifier"')
  })

  it('cannot be passed by sending what comes later', async () => {
    const visitor = newVisitor()
    const page = await enter(visitor, ada)
    const path = `${door.latchkey.issuer}${interactionPath(page)}`
    const { _csrf = '' } = formsOf(page)[0]?.fields ?? {}
    for (const later of [
      '/then/passkey-offer',
      '/then/nothing',
      '/consent',
      '/later',
      '/password',
      '/register/code',
    ]) {
      const answer = await visitor.post(path + later, { _csrf, terms: version, answer: 'later', code: '1' })
      const next = await visitor.follow(answer)
      expect([later, hasArrived(next)]).toEqual([later, false])
    }
    for (const terms of ['', 'on', '2026-02']) {
      const answer = await visitor.post(`${path}/then/terms`, { _csrf, terms })
      expect([terms, answer.status]).toEqual([terms, 400])
    }
    expect(await accepted(door.adaId)).toEqual([])
    expect((await door.begin(visitor)).text).toContain('name="identifier"')
  })

  it('lead on once they are accepted, are recorded once, and not asked for again', async () => {
    const visitor = newVisitor()
    const page = await enter(visitor, grace)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        visitor.clone().submit(page, { terms: version }, { action: '/then/terms' }),
      ),
    )
    expect(answers.map(({ status }) => status).filter((status) => status >= 500)).toEqual([])
    expect(await accepted(graceId)).toEqual([version])
    expect(hasArrived(await enter(newVisitor(), grace))).toBe(true)
    const events = (await auditOf(door.latchkey)).filter(({ action }) => action === 'terms.accepted')
    expect(events.filter(({ userId }) => userId === graceId)).toHaveLength(1)
  })
})
