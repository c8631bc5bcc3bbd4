import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, auditOf, disableUser, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'

describe('home', () => {
  let door: FrontDoor
  beforeAll(async () => {
    door = await openFrontDoor()
  })
  afterAll(() => door[Symbol.asyncDispose]())

  it('shows a signed-in person who he is, and nobody else', async () => {
    const visitor = await door.signedIn()
    const home = await visitor.get(`${door.latchkey.issuer}/`)
    expect([home.status, home.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(home.text).toContain(ada.name)
    expect(home.text).toContain(ada.email)
    expect(home.text).not.toContain('Administrator')
    expect((await newVisitor().get(`${door.latchkey.issuer}/`)).text).not.toContain(ada.name)
  })

  it('drops the query that the sign-in left', async () => {
    const visitor = await door.signedIn()
    expect(
      (await visitor.get(`${door.latchkey.issuer}/?error=access_denied&error_description=phish`)).location,
    ).toBe(`${door.latchkey.issuer}/`)
  })

  it('signs out of this browser and of no other, and the cookies of before lead nowhere', async () => {
    const here = await door.signedIn()
    const there = await door.signedIn()
    const { issuer } = door.latchkey
    const before = here.clone()
    const left = await here.follow(
      await here.submit(await here.get(`${issuer}/`), {}, { action: '/sign-out' }),
    )
    expect(left.url).toBe(`${issuer}/signed-out`)
    expect(here.cookies.some(({ name }) => name === 'latchkey_session')).toBe(false)
    for (const visitor of [here, before]) expect((await visitor.get(`${issuer}/`)).status).toBe(302)
    expect((await before.get(door.authorizationUrl({ prompt: 'none' }))).location).toContain(
      'error=login_required',
    )
    expect((await there.get(`${issuer}/`)).status).toBe(200)
    expect((await auditOf(door.latchkey)).at(-1)).toMatchObject({
      action: 'login.signed_out',
      outcome: 'success',
      userId: door.adaId,
    })
  })

  it('signs out once, however often it is asked', async () => {
    const visitor = await door.signedIn()
    const page = await visitor.get(`${door.latchkey.issuer}/`)
    const before = (await auditOf(door.latchkey)).length
    const answers = [
      await visitor.submit(page, {}, { action: '/sign-out' }),
      await visitor.submit(page, {}, { action: '/sign-out' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([303, 303])
    expect((await auditOf(door.latchkey)).length).toBe(before + 1)
  })

  it('shows nothing to a person who has been disabled since', async () => {
    const email = 'leaver@example.test'
    const id = await door.latchkey.createUser({ email, password: ada.password })
    const visitor = newVisitor()
    await visitor.follow(
      await visitor.submit(
        await door.begin(visitor),
        { identifier: email, password: ada.password },
        { action: '/password' },
      ),
    )
    expect((await visitor.get(`${door.latchkey.issuer}/`)).status).toBe(200)
    await disableUser(door.latchkey, id)
    expect((await visitor.get(`${door.latchkey.issuer}/`)).status).toBe(302)
  })
})
