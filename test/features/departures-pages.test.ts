import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { newId } from '../../src/kernel/ids.ts'
import { type Application, codeIn, errorIn, register, sessionCookie } from '../support/application.ts'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { masterKey, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const silent = { prompt: 'none' }
const wait = 14 * 86_400

describe('the page about a person’s data', () => {
  let latchkey: RunningLatchkey
  let clock: FixedClock
  let shop: Application
  let adaId: string
  beforeEach(async () => {
    clock = movableClock()
    latchkey = await startLatchkey({ clock })
    adaId = await latchkey.createUser(ada)
    shop = await register(latchkey)
  })
  afterEach(() => latchkey.close())

  const data = (visitor: Visitor): Promise<Page> => visitor.get(`${latchkey.issuer}/account/data`)
  const leave = async (visitor: Visitor, confirmation: string): Promise<Page> =>
    await visitor.follow(
      await visitor.submit(await data(visitor), { confirmation }, { action: '/departure/delete' }),
    )
  const departure = () => latchkey.app.features.departures.departures.find(adaId)

  it('gives a copy of everything and of no secret', async () => {
    const visitor = newVisitor()
    const { body } = await shop.redeem(await shop.signIn(visitor, ada))
    const { db } = latchkey.app.storage
    const of = { userId: adaId, createdAt: new Date() }
    await db.totpAuthenticator.create({
      data: { ...of, id: newId(), name: 'Phone', sealedSecret: 'a-sealed-secret', lastStep: 0 },
    })
    await db.recoveryCode.create({ data: { ...of, hash: 'a-hash-of-a-code' } })
    const { hash } = await db.password.findUniqueOrThrow({ where: { userId: adaId } })
    const answer = await visitor.submit(await data(visitor), {}, { action: '/copy/export' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="account-[\d-]+\.json"$/)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('cache-control')).toContain('no-store')
    const copy = JSON.parse(answer.text) as Record<string, unknown>
    expect(Object.keys(copy)).toEqual(
      expect.arrayContaining(['users', 'passwords', 'sessions', 'consents', 'audit', 'trusted-devices']),
    )
    expect(copy.users).toMatchObject({ id: adaId, email: ada.email })
    expect(answer.text).toContain('Phone')
    const device = visitor.cookies.find(({ name }) => name === 'latchkey_device')?.value
    const sealed = await db.artefact.findMany({ select: { id: true, sealedId: true } })
    const secrets = [
      ...[ada.password, hash, 'a-sealed-secret', 'a-hash-of-a-code', device, sessionCookie(visitor)],
      ...[body.access_token, body.refresh_token, body.id_token],
      ...sealed.flatMap(({ id, sealedId }) => [id, sealedId]),
    ]
    for (const secret of secrets)
      if (typeof secret === 'string' && secret !== '') expect(answer.text).not.toContain(secret)
  })

  it('gives the copy and takes the account only from who has just proven who he is', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    clock.advance(3_600)
    for (const action of ['/copy/export', '/departure/delete']) {
      const answer = await visitor.submit(await data(visitor), { confirmation: ada.email }, { action })
      expect(answer.status).toBe(303)
      expect(answer.location).toContain('/auth')
    }
    expect(await departure()).toBeUndefined()
  })

  it('refuses the deletion beside its field unless what is shown is typed', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    for (const confirmation of ['', 'yes', 'bob@example.test']) {
      const page = await leave(visitor, confirmation)
      expect(page.status).toBe(400)
      expect(page.text).toMatch(/id="confirmation-error" role="alert">This does not match/)
    }
    expect(await departure()).toBeUndefined()
  })

  it('takes what was copied from the page with the isolates around it', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    expect((await leave(visitor, `\u2068${ada.email}\u2069`)).text).toContain('will be deleted on')
    expect(await departure()).toBeDefined()
  })

  it('lets the account go after its time: told, signed out elsewhere, asked at each sign-in', async () => {
    const [here, there, later] = [newVisitor(), newVisitor(), newVisitor()]
    await shop.signIn(there, ada)
    await shop.signIn(here, ada)
    expect((await leave(here, ada.email)).text).toContain('Your account will be deleted on')
    expect(errorIn(await shop.visit(there, silent))).toBe('login_required')
    const mails = await latchkey.mails()
    expect(mails.map(({ to }) => to)).toEqual([ada.email])
    expect(mails[0]?.text).toContain('It will be deleted on')
    const asked = await signInTo(later)
    expect(asked.text).toContain('This account is going to be deleted')
    const gone = await later.follow(
      await later.submit(asked, { choice: 'go-on' }, { action: '/then/departures' }),
    )
    expect(codeIn(gone)).not.toBe('')
    clock.advance(wait)
    await latchkey.app.features.departures.departures.deleteDue()
    expect((await latchkey.mails()).at(-1)?.text).toContain('has been deleted')
    expect(errorIn(await shop.visit(later, silent))).toBe('login_required')
    expect(await latchkey.app.storage.db.user.count()).toBe(0)
    expect(await latchkey.app.storage.db.artefact.count({ where: { userId: adaId } })).toBe(0)
  })

  it('takes it back on the page, and in the middle of a sign-in', async () => {
    const [here, later] = [newVisitor(), newVisitor()]
    await shop.signIn(here, ada)
    await leave(here, ada.email)
    await here.submit(await data(here), {}, { action: '/departure/keep' })
    expect(await departure()).toBeUndefined()
    await leave(here, ada.email)
    const asked = await signInTo(later)
    await later.submit(asked, { choice: 'keep' }, { action: '/then/departures' })
    expect(await departure()).toBeUndefined()
  })

  it('deletes nobody by a form that is not ours', async () => {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const url = `${latchkey.issuer}/account/data/departure/delete`
    expect((await visitor.post(url, { confirmation: ada.email })).status).toBe(403)
    expect(await departure()).toBeUndefined()
  })

  const signInTo = async (visitor: Visitor): Promise<Page> => {
    const form = await shop.visit(visitor)
    const credentials = { identifier: ada.email, password: ada.password }
    return await visitor.follow(await visitor.submit(form, credentials, { action: '/password' }))
  }
})

it('leaves no account half deleted, however often the process that deletes is killed', async () => {
  await using latchkey = await startLatchkey()
  const { db } = latchkey.app.storage
  const { users } = latchkey.app.features.users
  const accounts = 50
  const past = new Date(Date.now() - 1_000)
  for (let index = 0; index < accounts; index += 1) {
    const { id } = await users.create({ username: `user-${index}` }, { actor: commandLineActor })
    await db.password.create({ data: { userId: id, hash: 'x', changedAt: past } })
    await db.artefact.create({ data: { model: 'AccessToken', id, payload: '{}', userId: id } })
    await db.departure.create({ data: { userId: id, requestedAt: past, dueAt: past } })
  }
  const script = fileURLToPath(new URL('../support/leaving-process.ts', import.meta.url))
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: latchkey.databaseUrl,
    LATCHKEY_MASTER_KEY: masterKey,
    LATCHKEY_ISSUER: latchkey.issuer,
  }
  let left = accounts
  for (let round = 0; left > 0 && round < 20; round += 1) {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], { env })
    const gone = once(child, 'exit')
    child.stdout.once('data', () => child.kill('SIGKILL'))
    await gone
    left = await db.user.count()
    const events = await db.auditEvent.count({ where: { action: 'users.deleted' } })
    const counts = [db.password.count(), db.artefact.count({ where: { model: 'AccessToken' } })]
    expect([...(await Promise.all(counts)), await db.departure.count(), accounts - events]).toEqual(
      Array(4).fill(left),
    )
  }
  expect(left).toBe(0)
})
