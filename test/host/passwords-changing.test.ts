import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { ada, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { mailTo } from '../support/registering.ts'
import { formsOf, newVisitor } from '../support/visitor.ts'

const chosen = 'a difference of engines 1822'
const panel = '/account/security/password/change'

let door: FrontDoor
let clock: FixedClock
beforeAll(async () => {
  clock = fixedClock(new Date())
  door = await openFrontDoor({ clock, environment: { LATCHKEY_PASSKEYS_OFFER: 'false' } })
  await door.latchkey.app.features.setup.setup.createFirstAdministrator(
    { email: 'root@example.test', password: 'the keys of the house 1' },
    commandLineActor,
  )
})
afterAll(() => door[Symbol.asyncDispose]())

describe('the password on the account’s pages', () => {
  it('is changed with the present one, ends what else is signed in, and is told', async () => {
    const [here, elsewhere] = [await door.signedIn(), await door.signedIn()]
    const { issuer } = door.latchkey
    expect((await here.get(`${issuer}/account/security`)).text).toContain(`href="${panel}"`)
    const form = await here.get(issuer + panel)
    const wrong = await here.submit(form, { present: 'wrong', password: chosen }, { action: panel })
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('id="present-error"')])
    const weak = await here.submit(form, { present: ada.password, password: 'short' }, { action: panel })
    expect([weak.status, weak.text]).toEqual([400, expect.stringContaining('id="password-error"')])
    expect(weak.text).not.toContain(ada.password)
    const fields = { present: ada.password, password: chosen }
    const saved = await here.follow(await here.submit(form, fields, { action: panel }))
    expect([saved.status, saved.text]).toEqual([200, expect.stringContaining('Your password was saved')])
    expect((await mailTo(door, ada.email))?.text).toContain('password of your account was changed')
    expect((await here.get(`${issuer}/account/security`)).status).toBe(200)
    expect((await elsewhere.get(`${issuer}/account/security`)).status).toBe(303)
  })

  it('is nobody’s to change without a session, a form of ours and a fresh proof', async () => {
    const { issuer } = door.latchkey
    const stranger = newVisitor()
    expect((await stranger.get(issuer + panel)).status).toBe(303)
    const { _csrf = '' } = formsOf(await door.begin(stranger))[0]?.fields ?? {}
    const fields = { present: chosen, password: 'something else entirely' }
    expect((await stranger.post(issuer + panel, { _csrf, ...fields })).status).toBe(303)
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    await visitor.follow(
      await visitor.submit(page, { identifier: ada.email, password: chosen }, { action: '/password' }),
    )
    const form = await visitor.get(issuer + panel)
    expect(form.text).toContain('name="present"')
    expect((await visitor.post(issuer + panel, fields)).status).toBe(403)
    clock.advance(1_800)
    const late = await visitor.submit(form, fields, { action: panel })
    expect([late.status, late.location]).toEqual([303, expect.stringContaining('prompt=login')])
    const again = newVisitor()
    const entered = await again.submit(
      await door.begin(again),
      { identifier: ada.email, password: chosen },
      { action: '/password' },
    )
    expect(entered.status).toBe(303)
  })
})

describe('a link that an administrator has made', () => {
  const reset = async (id: string, input: Record<string, unknown>) => {
    const { resource } = door.latchkey.app.features.users
    const item = await resource.find(id)
    const action = resource.actions.find(({ name }) => name === 'reset-password')
    if (item === undefined || action === undefined) throw new Error('Nothing can be reset.')
    return await action.run(item, input, commandLineActor)
  }

  it('is mailed instead of shown where he wants it so', async () => {
    clock.advance(1)
    const shown = await reset(door.adaId, {})
    expect(shown.reveals?.link).toContain('/set-password?token=')
    const mailed = await reset(door.adaId, { mail: true })
    expect([mailed.reveals, mailed.notice]).toEqual([undefined, expect.stringContaining(ada.email)])
    const { link = '' } = (await mailTo(door, ada.email)) ?? {}
    expect(link).toContain('/set-password?token=')
    expect((await newVisitor().get(shown.reveals?.link ?? '')).status).toBe(403)
    expect((await newVisitor().get(link)).status).toBe(200)
  })

  it('is not mailed to who has no address', async () => {
    const actor = commandLineActor
    const user = await door.latchkey.app.features.users.users.create({ username: 'nameless' }, { actor })
    await expect(reset(user.id, { mail: true })).rejects.toThrow(
      expect.objectContaining({ code: 'passwords.no_address', status: 409 }),
    )
    expect(await door.latchkey.app.storage.db.passwordLink.count({ where: { userId: user.id } })).toBe(0)
  })
})
