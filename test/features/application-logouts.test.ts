/** Telling applications of logouts: what is kept of it, what the commands say, and what happens when something dies. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { applicationLogoutsDefinition } from '../../src/features/application-logouts/index.ts'
import { after, systemClock } from '../../src/kernel/clock.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { newId } from '../../src/kernel/ids.ts'
import { send } from '../support/application.ts'
import { closedPorts, openCommandLine } from '../support/command-line.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { startServerProcess } from '../support/server-process.ts'
import { countStatements } from '../support/statements.ts'
import { claimsOf, startToldApplication, type ToldApplication } from '../support/told-application.ts'
import { formsOf, newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const environment = { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' }
const by = { actor: commandLineActor }
const day = 86_400

let latchkey: RunningLatchkey
let told: ToldApplication
let shop: RelyingParty
let adaId: string
let ahead = 0
beforeEach(async () => {
  ahead = 0
  latchkey = await startLatchkey({ environment, clock: { now: () => after(systemClock.now(), ahead) } })
  told = await startToldApplication()
  adaId = await latchkey.createUser(ada)
  shop = await party('Shop')
})
afterEach(async () => {
  await told[Symbol.asyncDispose]()
  await latchkey.close()
})

const party = (name: string, backchannelLogoutUri = told.backchannelLogoutUri): Promise<RelyingParty> =>
  relyingParty(latchkey, { name, firstParty: true, backchannelLogoutUri })
const deliver = (): Promise<void> => latchkey.app.features.outbox.worker.drain()
const endAll = (userId = adaId) => latchkey.app.features.sessions.sessions.endAll(userId, by)
const rows = () =>
  latchkey.app.storage.db.applicationLogout.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })

const ended = async (answer: Parameters<ToldApplication['answer']>[0]): Promise<void> => {
  told.answer(answer)
  await shop.signIn(newVisitor(), ada)
  await endAll()
  await deliver()
}

describe('the commands', () => {
  const run = (argv: readonly string[]) =>
    openCommandLine({
      ...closedPorts,
      definitions: [applicationLogoutsDefinition],
      openFeatures: async () => ({ features: latchkey.app.all, close: async () => undefined }),
    })(argv)
  const json = async (argv: readonly string[]) => JSON.parse((await run([...argv, '--json'])).stdout)

  it('list what was told, the newest first, with what went wrong and when it is tried next', async () => {
    expect(await run(['logouts', 'list'])).toEqual({
      code: 0,
      stdout: 'No application was told of a logout lately.\n',
      stderr: '',
    })
    await ended({ status: 200 })
    ahead = 1
    await ended({ status: 400 })
    ahead = 2
    await ended({ status: 503 })
    const { stdout } = await run(['logouts', 'list'])
    const [waiting, refused, delivered] = (await rows()).toReversed()
    expect(stdout.match(/^\S+ {2}(?=\w+ {2})/gm)?.map((id) => id.trim())).toEqual([
      waiting?.id,
      refused?.id,
      delivered?.id,
    ])
    expect(stdout).toContain(
      `${waiting?.id}  waiting  ${shop.client.id}  ${adaId}  ses_${waiting?.sessionUid}`,
    )
    expect(stdout).toMatch(/tried once, next at 20\S+Z\n {4}The application answered with status 503\./)
    expect(stdout).toContain('    The application refused the logout token (status 400).')
    const listed = await json(['logouts', 'list'])
    expect(listed.map(({ state }: { state: string }) => state)).toEqual(['waiting', 'refused', 'delivered'])
    expect(listed[0]).toMatchObject({ attempts: 1, nextAt: expect.any(String), userId: adaId })
    // What the application calls the session is for it alone.
    expect(JSON.stringify(listed)).not.toContain(waiting?.sid)
  })

  it('find by client, person, session and state', async () => {
    const blog = await party('Blog')
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    await blog.signIn(visitor, ada)
    await endAll()
    await deliver()
    ahead = 1
    await ended({ status: 400 })
    const [{ sessionUid } = { sessionUid: '' }] = await rows()
    const count = async (...argv: string[]): Promise<number> =>
      (await json(['logouts', 'list', ...argv])).length
    expect(await count()).toBe(3)
    expect(await count('--client', blog.client.id)).toBe(1)
    expect(await count('--user', ada.email)).toBe(3)
    expect(await count('--session', `ses_${sessionUid}`)).toBe(2)
    expect(await count('--session', sessionUid)).toBe(2)
    expect(await count('--state', 'refused', '--client', shop.client.id)).toBe(1)
    expect(await count('--client', 'nobody')).toBe(0)
    expect(await run(['logouts', 'list', '--user', 'nobody@example.test'])).toMatchObject({ code: 1 })
    expect((await run(['logouts', 'list', '--state', 'lost'])).code).not.toBe(0)
  })

  it('tell again what waits, was refused or was given up, or one of them, and nothing that was told', async () => {
    await ended({ status: 200 })
    ahead = 1
    await ended({ status: 400 })
    ahead = 2
    await ended({ status: 503 })
    const [delivered, refused, waiting] = await rows()
    for (const id of [delivered?.id ?? '', 'unknown']) {
      const { code, stderr } = await run(['logouts', 'retry', '--id', id])
      expect(code).toBe(1)
      expect(stderr).toContain('There is no such logout that an application was not told.')
    }
    told.answer({})
    expect((await run(['logouts', 'retry', '--id', refused?.id ?? ''])).stdout).toContain('Due now: 1.')
    ahead = 20
    expect((await json(['logouts', 'retry'])).due).toBe(2)
    await deliver()
    expect(told.got).toHaveLength(5)
    expect((await rows()).map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered'])
    expect(waiting?.state).toBe('waiting')
    expect((await run(['logouts', 'retry'])).stdout).toBe('Nothing waits.\n')
  })

  it('say that there is more than they show', async () => {
    const at = systemClock.now()
    await latchkey.app.storage.db.applicationLogout.createMany({
      data: Array.from({ length: 1_001 }, (_, index) => ({
        id: newId(),
        clientId: shop.client.id,
        userId: adaId,
        sessionUid: `session-${index}`,
        sid: `sid-${index}`,
        state: 'delivered',
        createdAt: after(at, index - 2_000),
        triesUntil: at,
        endedAt: at,
      })),
    })
    const { stdout } = await run(['logouts', 'list'])
    expect(stdout).toContain('session-1000')
    expect(stdout).not.toMatch(/session-0\b/)
    expect(stdout).toContain(
      'These are the newest 1000. Name a client, a user, a session or a state to see others.',
    )
    expect(await json(['logouts', 'list'])).toHaveLength(1_000)
  })

  it('keep for two weeks what is over, and no longer; nothing of what still waits', async () => {
    const job = latchkey.app.features.applicationLogouts.jobs?.[0]
    await ended({ status: 200 })
    await ended({ status: 400 })
    ahead = 14 * day - 60
    await job?.run()
    expect(await rows()).toHaveLength(2)
    ahead = 14 * day + 60
    await ended({ status: 503 })
    await job?.run()
    expect(await rows()).toMatchObject([{ state: 'waiting' }])
  })
})

describe('what comes in between', () => {
  it('an application that hangs does not keep others waiting behind all that is meant for it', async () => {
    await using hung = await startToldApplication()
    hung.answer({ hang: true })
    const slow = await party('Slow', hung.backchannelLogoutUri)
    const visitor = newVisitor()
    await slow.signIn(visitor, ada)
    await copySessions(40)
    await endAll()
    await shop.signIn(newVisitor(), ada)
    await endAll()
    const started = performance.now()
    await deliver()
    expect(told.got).toHaveLength(1)
    // One time-out of five seconds for those that were under way together; the others are put off.
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(hung.got.length).toBeLessThanOrEqual(4)
    expect((await rows()).filter(({ state }) => state === 'waiting')).toHaveLength(41)
    hung.answer({})
    ahead = 600
    await deliver()
    ahead = 1_200
    await deliver()
    expect((await rows()).filter(({ state }) => state === 'delivered')).toHaveLength(42)
  })

  it('an application that is deleted meanwhile is not told, and nothing is tried any more', async () => {
    await ended({ status: 503 })
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(shop.client.id)
    if (item === undefined) throw new Error('The client is gone already.')
    await resource.delete(item, commandLineActor)
    ahead = 60
    await deliver()
    expect(told.got).toHaveLength(1)
    expect(await rows()).toMatchObject([
      { state: 'failed', reason: 'The application is gone, disabled, or has no address for it any more.' },
    ])
    expect(await latchkey.app.features.outbox.queue.list('application-logout', 10)).toEqual([])
  })

  it('the server that ended the session is killed while it tells: the next one tells', async () => {
    await using dying = await startServerProcess({ ...latchkey, environment })
    told.answer({ hang: true })
    await signOutAt(dying)
    await vi.waitFor(() => expect(told.got).toHaveLength(1), { timeout: 10_000 })
    await dying.kill()
    expect(await rows()).toMatchObject([{ state: 'waiting' }])
    told.answer({})
    ahead = 120
    await deliver()
    expect(told.got).toHaveLength(2)
    expect(await rows()).toMatchObject([{ state: 'delivered' }])
  })

  it('the server is killed as soon as it has answered: the next one tells', async () => {
    await using dying = await startServerProcess({ ...latchkey, environment })
    await signOutAt(dying)
    await dying.kill()
    ahead = 120
    await deliver()
    expect(told.got.length).toBeGreaterThan(0)
    expect(await rows()).toMatchObject([{ state: 'delivered' }])
  })

  it('500 sessions of one user are over at once when he is disabled, and every one is told', async () => {
    await shop.signIn(newVisitor(), ada)
    await copySessions(499)
    // Its statements do not grow with the sessions, so that nobody has too many of them to be disabled.
    using counter = countStatements()
    const disabling = (): Promise<unknown> => latchkey.app.features.users.users.disable(adaId, by)
    expect(await counter.leastOf(1, disabling)).toBeLessThan(200)
    expect(await latchkey.app.storage.db.artefact.count({ where: { userId: adaId } })).toBe(0)
    await deliver()
    const all = await rows()
    expect(all).toHaveLength(500)
    expect(all.filter(({ state }) => state === 'delivered')).toHaveLength(500)
    const sids = told.got.map(({ token }) => claimsOf(token).sid)
    expect(new Set(sids).size).toBe(500)
  }, 120_000)

  /** Signs out on the account page, as that process of the server serves it. */
  async function signOutAt(door: { readonly issuer: string; readonly port: number }): Promise<void> {
    const visitor = newVisitor()
    await shop.signIn(visitor, ada)
    const form = formsOf(await visitor.get(`${latchkey.issuer}/account`)).find(({ action }) =>
      action.endsWith('/sign-out'),
    )
    const cookie = visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const headers = { cookie, origin: latchkey.issuer, accept: 'text/html' }
    const answer = await send(door, '/sign-out', { headers, form: { ...form?.fields } })
    expect(answer.status).toBe(303)
  }

  /** More of the one session that is open, as if the person had signed in from so many browsers. */
  async function copySessions(count: number): Promise<void> {
    const { db } = latchkey.app.storage
    const row = await db.artefact.findFirstOrThrow({ where: { model: 'Session', userId: adaId } })
    await db.artefact.createMany({
      data: Array.from({ length: count }, (_, index) => ({
        ...row,
        id: `${row.id}${index}`,
        sessionUid: `${row.sessionUid}${index}`,
        payload: row.payload.replaceAll(/"sid":"([^"]+)"/g, `"sid":"$1-${index}"`),
      })),
    })
  }
})
