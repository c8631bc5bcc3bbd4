import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemActor } from '../../src/kernel/http.ts'
import { ada, auditOf, disableUser, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'

describe('home', () => {
  let door: FrontDoor
  let account: string
  beforeAll(async () => {
    door = await openFrontDoor()
    account = `${door.latchkey.issuer}/account`
  })
  afterAll(() => door[Symbol.asyncDispose]())

  it('leads a signed-in person to his account, and everybody else to the sign-in', async () => {
    const { issuer } = door.latchkey
    const home = await (await door.signedIn()).get(`${issuer}/`)
    expect([home.status, home.location, home.headers.get('cache-control')]).toEqual([
      302,
      account,
      'no-store',
    ])
    const stranger = newVisitor()
    expect((await stranger.get(`${issuer}/`)).location).toBe(`${issuer}/setup`)
    await door.latchkey.app.features.users.users.setAdministrator(door.adaId, true, { actor: systemActor })
    const page = await stranger.follow(await stranger.get(`${issuer}/`))
    expect(page.url).toContain('/interaction/')
    expect(page.text).not.toContain(ada.name)
  })

  it('drops the query that the sign-in left', async () => {
    const visitor = await door.signedIn()
    const query = 'error=access_denied&error_description=phish'
    expect((await visitor.get(`${door.latchkey.issuer}/?${query}`)).location).toBe(account)
    expect((await visitor.get(`${account}?${query}`)).location).toBe(account)
  })

  it('signs out of this browser and of no other, and the cookies of before lead nowhere', async () => {
    const here = await door.signedIn()
    const there = await door.signedIn()
    const { issuer } = door.latchkey
    const before = here.clone()
    const left = await here.follow(await here.submit(await here.get(account), {}, { action: '/sign-out' }))
    expect(left.url).toBe(`${issuer}/signed-out`)
    expect(here.cookies.some(({ name }) => name === 'latchkey_session')).toBe(false)
    for (const visitor of [here, before]) expect((await visitor.get(account)).status).toBe(303)
    expect((await before.get(door.authorizationUrl({ prompt: 'none' }))).location).toContain(
      'error=login_required',
    )
    expect((await there.get(account)).status).toBe(200)
    expect((await auditOf(door.latchkey)).at(-1)).toMatchObject({
      action: 'login.signed_out',
      outcome: 'success',
      userId: door.adaId,
    })
  })

  it('signs out once, however often it is asked', async () => {
    const visitor = await door.signedIn()
    const page = await visitor.get(account)
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
    expect((await visitor.get(account)).status).toBe(200)
    await disableUser(door.latchkey, id)
    expect((await visitor.get(account)).status).toBe(303)
  })
})
