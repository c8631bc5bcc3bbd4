import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EndedSession, Feature } from '../../src/features/feature.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import {
  type Application,
  codeIn,
  errorIn,
  outcomes,
  register,
  sessionCookie,
  times,
  userinfo,
} from '../support/application.ts'
import { countOrphans } from '../support/grants.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { tally } from '../support/people.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a different engine 1844' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const silent = { prompt: 'none' }
const by = { actor: commandLineActor }

let latchkey: RunningLatchkey
let shop: Application
let adaId: string
beforeEach(async () => {
  latchkey = await startLatchkey()
  adaId = await latchkey.createUser(ada)
  await latchkey.createUser(bob)
  shop = await register(latchkey)
})
afterEach(() => latchkey.close())

const sessionsOf = (userId: string) => latchkey.app.features.sessions.sessions.list(userId)
const idsOf = async (userId: string): Promise<readonly string[]> =>
  (await sessionsOf(userId)).map(({ uid }) => `ses_${uid}`)
const devices = (visitor: Visitor): Promise<Page> => visitor.get(`${latchkey.issuer}/account/devices`)

/** Posts what a form of the page would, whatever it holds. */
const endByPage = async (visitor: Visitor, session: string): Promise<Page> =>
  await visitor.submit(await devices(visitor), { session }, { action: '/sessions/end' })

/** Signed in with tokens that live as long as the session, and with some for offline access. */
async function signedIn(visitor: Visitor) {
  const phone = await register(latchkey, { kind: 'native', name: 'Phone' })
  const { body: online } = await shop.redeem(await shop.signIn(visitor, ada))
  const { body: away } = await phone.redeem(await phone.signIn(visitor, ada, offline))
  return { phone, online, away }
}

describe('a session that its person ends from elsewhere', () => {
  it('is over at once with everything that was given in it, offline access included', async () => {
    const [here, there] = [newVisitor(), newVisitor()]
    const { phone, online, away } = await signedIn(there)
    await shop.signIn(here, ada)
    const stolen = there.clone()
    const page = await devices(here)
    expect(page.text.match(/name="session"/g)).toHaveLength(1)
    const answer = await here.submit(page, {}, { action: '/sessions/end' })
    expect((await here.follow(answer)).text).toContain('That session has ended')
    for (const token of [online.access_token, away.access_token])
      expect(await userinfo(latchkey, token)).toMatchObject({ status: 401 })
    expect(await shop.introspect(online.access_token)).toMatchObject({ body: { active: false } })
    expect(outcomes([await shop.refresh(online.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(outcomes([await phone.refresh(away.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    for (const visitor of [there, stolen]) {
      expect(errorIn(await shop.visit(visitor, silent))).toBe('login_required')
      expect((await devices(visitor)).text).not.toContain('This browser')
    }
    expect(codeIn(await shop.visit(here, silent))).not.toBe('')
    expect(await countOrphans(latchkey)).toBe(0)
  })

  it('ends a code that waits to be redeemed, and a sign-in under way in it', async () => {
    const [here, there] = [newVisitor(), newVisitor()]
    const code = await shop.signIn(there, ada)
    await shop.signIn(here, ada)
    const pending = await shop.visit(there, { prompt: 'login' })
    await here.submit(await devices(here), {}, { action: '/sessions/end' })
    expect(outcomes([await shop.redeem(code)])).toEqual({ '400 invalid_grant': 1 })
    expect((await there.get(pending.url)).status).toBe(410)
  })

  it('is one of his own: nobody ends that of another, by whatever name', async () => {
    const [adas, bobs] = [newVisitor(), newVisitor()]
    await shop.signIn(adas, ada)
    await shop.signIn(bobs, bob)
    await shop.signIn(newVisitor(), bob)
    const [session = ''] = await idsOf(adaId)
    for (const name of [session, session.slice(4), sessionCookie(adas), '', 'ses_', '../x']) {
      const answer = await endByPage(bobs, name)
      expect(answer.status).toBe(404)
      expect(answer.text).toContain('This session has ended already.')
    }
    expect((await endByPage(bobs, `${session}\0`)).status).toBe(400)
    expect(codeIn(await shop.visit(adas, silent))).not.toBe('')
  })

  it('has a name that opens nothing', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const [id = ''] = await idsOf(adaId)
    for (const value of [id, id.slice(4)]) {
      const thief = newVisitor([{ name: 'latchkey_session', value, path: '/' }])
      expect(errorIn(await shop.visit(thief, silent))).toBe('login_required')
    }
    expect(await userinfo(latchkey, id.slice(4))).toMatchObject({ status: 401 })
  })

  it('ends by nothing but a form of ours', async () => {
    const [here, there] = [newVisitor(), newVisitor()]
    await shop.signIn(here, ada)
    await shop.signIn(there, ada)
    const [, session = ''] = await idsOf(adaId)
    const url = `${latchkey.issuer}/account/devices/sessions/end`
    expect((await here.post(url, { session })).status).toBe(403)
    expect((await here.get(`${url}?session=${session}`)).status).not.toBe(200)
    expect(await idsOf(adaId)).toHaveLength(2)
  })

  it('ends once, however often it is ended at the same time in two processes', async () => {
    await shop.signIn(newVisitor(), ada)
    const [id = ''] = await idsOf(adaId)
    const { sessions } = latchkey.app.features.sessions
    const ended = await tally(Array.from({ length: 20 }, () => sessions.end(id, by)))
    expect(ended).toEqual({ success: 1, 'sessions.not_found': 19 })
    const events = await latchkey.app.storage.db.auditEvent.count({ where: { action: 'sessions.ended' } })
    expect(events).toBe(1)
  })

  it('gives nothing any more to tabs that were using it at that moment', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const [id = ''] = await idsOf(adaId)
    const shops = await times(8, (index) => register(latchkey, { name: `Shop ${index}` }))
    const visits = shops.map((each) => each.visit(visitor.clone(), silent))
    await latchkey.app.features.sessions.sessions.end(id, by)
    const pages = await Promise.all(visits)
    const answers = await Promise.all(
      pages.map((page, index) =>
        errorIn(page) === null
          ? shops[index]?.redeem({ code: codeIn(page), verifier: page.verifier })
          : undefined,
      ),
    )
    for (const answer of answers)
      if (answer !== undefined) expect(outcomes([answer])).toEqual({ '400 invalid_grant': 1 })
    expect(await idsOf(adaId)).toEqual([])
    expect(await countOrphans(latchkey)).toBe(0)
    expect(await latchkey.app.storage.db.artefact.count({ where: { model: 'Grant' } })).toBe(0)
  })

  it('is over in every other process, too', async () => {
    const { issuer, databaseUrl } = latchkey
    await using other = await startServerProcess({ databaseUrl, issuer })
    const { body } = await shop.redeem(await shop.signIn(newVisitor(), ada))
    expect(await userinfo(other, body.access_token)).toMatchObject({ status: 200 })
    const [id = ''] = await idsOf(adaId)
    await latchkey.app.features.sessions.sessions.end(id, by)
    expect(await userinfo(other, body.access_token)).toMatchObject({ status: 401 })
    expect(outcomes([await shop.refresh(body.refresh_token, { at: other })])).toEqual({
      '400 invalid_grant': 1,
    })
  })
})

describe('signing out everywhere else', () => {
  it('leaves this browser and what was given in it', async () => {
    const [here, there] = [newVisitor(), newVisitor()]
    const { body: kept } = await shop.redeem(await shop.signIn(here, ada))
    const { online, away } = await signedIn(there)
    await shop.signIn(newVisitor(), bob)
    const answer = await here.submit(await devices(here), {}, { action: '/sessions/end-others' })
    expect((await here.follow(answer)).text).toContain('signed out everywhere but here')
    expect(await userinfo(latchkey, kept.access_token)).toMatchObject({ status: 200 })
    expect(outcomes([await shop.refresh(kept.refresh_token)])).toEqual({ 200: 1 })
    for (const token of [online.access_token, away.access_token])
      expect(await userinfo(latchkey, token)).toMatchObject({ status: 401 })
    expect(errorIn(await shop.visit(there, silent))).toBe('login_required')
    expect(await idsOf(adaId)).toHaveLength(1)
    expect(
      await latchkey.app.storage.db.artefact.count({ where: { model: 'Session', userId: { not: null } } }),
    ).toBe(2)
    expect(await countOrphans(latchkey)).toBe(0)
  })
})

describe('whoever is told that a session ended', () => {
  const listening = () => {
    const told: EndedSession[] = []
    const feature: Feature = {
      name: 'listener',
      async sessionsEnded(_db, ended) {
        told.push(...ended)
      },
    }
    ;(latchkey.app.all as Feature[]).push(feature)
    return told
  }

  it('hears of each once, with the applications that it signed in to, whatever ended it', async () => {
    const told = listening()
    const { sessions } = latchkey.app.features.sessions
    const { users } = latchkey.app.features.users
    const ends: readonly ((visitor: Visitor) => Promise<unknown>)[] = [
      async () => sessions.end((await idsOf(adaId))[0] ?? '', by),
      () => sessions.endAll(adaId, by),
      async (visitor) => visitor.submit(await devices(visitor), {}, { action: '/sign-out' }),
      () => users.disable(adaId, by),
    ]
    for (const [index, end] of ends.entries()) {
      const visitor = newVisitor()
      await shop.signIn(visitor, ada)
      const [{ uid } = { uid: '' }] = await sessionsOf(adaId)
      await end(visitor)
      expect(told).toHaveLength(index + 1)
      expect(told.at(-1)).toMatchObject({ userId: adaId, sessionUid: uid, clientIds: [shop.id] })
    }
  })

  it('is told in the transaction that ends it: where telling fails, nothing has ended', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const feature: Feature = {
      name: 'listener',
      async sessionsEnded() {
        throw new Error('no room in the outbox')
      },
    }
    ;(latchkey.app.all as Feature[]).push(feature)
    const [id = ''] = await idsOf(adaId)
    await expect(latchkey.app.features.sessions.sessions.end(id, by)).rejects.toThrow('no room')
    expect(codeIn(await shop.visit(visitor, silent))).not.toBe('')
    expect(await latchkey.app.storage.db.auditEvent.count({ where: { action: 'sessions.ended' } })).toBe(0)
  })
})
