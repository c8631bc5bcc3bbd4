import { describe, expect, it, vi } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { codeIn, errorIn, outcomes, register, sessionCookie, userinfo, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const silent = { prompt: 'none' }

/** Everything a person can have open: tokens of two clients, a session, a code, a sign-in page, a sign-in half finished. */
async function openEverything(latchkey: RunningLatchkey) {
  const [shop, phone] = [
    await register(latchkey),
    await register(latchkey, { kind: 'native', name: 'Phone' }),
  ]
  const visitor = newVisitor()
  const { body: online } = await shop.redeem(await shop.signIn(visitor, ada))
  const { body: away } = await phone.redeem(await phone.signIn(visitor, ada, offline))
  const code = await shop.signIn(visitor, ada)
  const reauthentication = visitor.clone()
  const form = await shop.visit(reauthentication, { prompt: 'login' })
  const newcomer = newVisitor()
  const half = await shop.visit(newcomer)
  const resume = await newcomer.submit(
    half,
    { identifier: ada.email, password: ada.password },
    { action: '/password' },
  )

  return {
    shop,
    phone,
    visitor,
    /** What each of them is still good for. */
    async check() {
      const resumed = await newcomer.clone().follow(resume)
      // Before the confirmation, which replaces the session's identifier.
      const silently = errorIn(await shop.visit(visitor, silent))
      const confirmed = await walk(reauthentication.clone(), form, ada).catch(({ message }: Error) => message)
      return {
        userinfo: [
          (await userinfo(latchkey, online.access_token)).status,
          (await userinfo(latchkey, away.access_token)).status,
        ],
        refresh: outcomes([
          await shop.refresh(online.refresh_token),
          await phone.refresh(away.refresh_token),
        ]),
        introspection: (await shop.introspect(online.access_token)).body,
        code: outcomes([await shop.redeem(code)]),
        silent: silently,
        resumed: (resumed.location ?? '').includes('code='),
        confirmed: typeof confirmed !== 'string' && (confirmed.location ?? '').includes('code='),
      }
    },
  }
}

const nothing = {
  userinfo: [401, 401],
  refresh: { '400 invalid_grant': 2 },
  introspection: { active: false },
  code: { '400 invalid_grant': 1 },
  silent: 'login_required',
  resumed: false,
  confirmed: false,
}

describe('a disabled user', () => {
  it('gets nothing from anything that was open, at once, and nothing of it comes back', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    const { users } = latchkey.app.features.users
    await users.disable(id, { actor: commandLineActor })
    expect(await open.check()).toEqual(nothing)
    const visitor = newVisitor()
    await expect(open.shop.signIn(visitor, ada)).rejects.toThrow(/There is no form|No code/)
    expect(sessionCookie(visitor)).toBe('')
  })

  it('finds nothing of it again when enabled: what was open has ended', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    const { users } = latchkey.app.features.users
    await users.disable(id, { actor: commandLineActor })
    await users.enable(id, { actor: commandLineActor })
    expect(await open.check()).toEqual(nothing)
    expect((await open.shop.signIn(newVisitor(), ada)).code).not.toBe('')
  })

  it('gets nothing where something was left behind either: the gate stands before every issuance', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    const { storage } = latchkey.app
    await storage.transaction(async (db) => {
      await db.user.updateMany({ where: { id }, data: { disabledAt: new Date() } })
      await storage.touch(db, 'users')
    })
    await vi.waitFor(async () => expect(await latchkey.app.features.users.users.mayIssue(id)).toBe(false), {
      timeout: 20_000,
    })
    expect(await open.check()).toEqual(nothing)
  })

  it('has nothing left in the database that could serve him', async () => {
    await using latchkey = await startLatchkey()
    const id = await latchkey.createUser(ada)
    await openEverything(latchkey)
    await latchkey.app.features.users.users.disable(id, { actor: commandLineActor })
    // An interaction that has ended stays a while, to tell a browser that comes back where it came from.
    const rows = await latchkey.app.storage.db.artefact.findMany({
      where: { OR: [{ model: { not: 'Interaction' } }, { consumedAt: null }] },
    })
    expect(rows.filter(({ payload }) => payload.includes(id))).toEqual([])
  })

  it('would otherwise be served: the same checks find all of it open', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const open = await openEverything(latchkey)
    expect(await open.check()).toMatchObject({
      userinfo: [200, 200],
      refresh: { 200: 2 },
      introspection: { active: true },
      code: { 200: 1 },
      silent: null,
      resumed: true,
    })
  })
})

describe('a disabled client', () => {
  it('gets nothing from anything that was open, and nothing of it comes back', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const { shop, phone, visitor, check } = await openEverything(latchkey)
    const { resource } = latchkey.app.features.clients
    const run = async (name: string): Promise<void> => {
      const item = await resource.find(shop.id)
      if (item === undefined) throw new Error('The client is gone.')
      await resource.actions?.find((action) => action.name === name)?.run(item, {}, commandLineActor)
    }
    await run('disable')
    expect(outcomes([await shop.credentials(), await shop.refresh('any')])).toEqual({
      '401 invalid_client': 2,
    })
    expect(await check()).toMatchObject({
      userinfo: [401, 200],
      code: { '401 invalid_client': 1 },
      resumed: false,
      confirmed: false,
    })
    expect((await shop.visit(visitor, silent)).status).toBe(400)
    expect(codeIn(await phone.visit(visitor))).not.toBe('')
    await run('enable')
    expect(await check()).toMatchObject({
      userinfo: [401, 200],
      introspection: { active: false },
      code: { '400 invalid_grant': 1 },
      resumed: false,
      confirmed: false,
    })
  })
})
