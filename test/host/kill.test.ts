import { expect, it } from 'vitest'
import { hashSecret } from '../../src/kernel/ids.ts'
import { type Answer, application, type Code, callback, codeIn, send, times } from '../support/application.ts'
import { createDatabase } from '../support/database.ts'
import { countOrphans } from '../support/grants.ts'
import { freePort, type RunningLatchkey, startLatchkey, withKeys } from '../support/latchkey.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const rounds = 10
const workers = 6

/** What the clients saw before the server died; what it must still know afterwards. */
interface Witness {
  /** Codes whose tokens arrived. */
  readonly redeemed: Code[]
  /** Refresh tokens whose successor arrived. */
  readonly rotated: unknown[]
  /** The newest refresh token of each family, when no answer was outstanding. */
  readonly current: unknown[]
}

const witnessed = ({ redeemed, rotated }: Witness): number => redeemed.length + rotated.length

const refused = { status: 400, body: { error: 'invalid_grant' } }

/** Undefined when the server died before it answered. */
const orDead = (work: Promise<Answer>): Promise<Answer | undefined> => work.catch(() => undefined)

async function stable(latchkey: RunningLatchkey) {
  await latchkey.createUser(ada)
  const web = await latchkey.createClient({
    kind: 'web',
    name: 'Shop',
    redirectUris: [callback],
    firstParty: true,
  })
  const native = await latchkey.createClient({
    kind: 'native',
    name: 'Phone',
    redirectUris: [callback],
    firstParty: true,
  })
  const visitor = newVisitor()
  await application(latchkey, web).signIn(visitor, ada)
  await application(latchkey, native).signIn(visitor, ada, offline)
  return { web, native, visitor }
}

type Stable = Awaited<ReturnType<typeof stable>>

interface Load {
  readonly witness: Witness
  /** Called after each answer. */
  readonly seen: () => void
}

/** Signs in by the session, redeems and renews until the server is gone. */
async function work(
  door: ServerProcess,
  { web, native, visitor }: Stable,
  { witness, seen }: Load,
): Promise<void> {
  const [shop, phone] = [application(door, web), application(door, native)]
  for (;;) {
    const page = await phone.visit(visitor.clone(), { scope: 'openid offline_access' }).catch(() => undefined)
    const other = await shop.visit(visitor.clone()).catch(() => undefined)
    if (page === undefined || other === undefined) return
    const code = { code: codeIn(page), verifier: page.verifier }
    let answer = await orDead(phone.redeem(code))
    if (answer?.status === 200) witness.redeemed.push(code)
    const second = { code: codeIn(other), verifier: other.verifier }
    if ((await orDead(shop.redeem(second)))?.status === 200) witness.redeemed.push(second)
    for (let renewal = 0; renewal < 3 && answer !== undefined; renewal += 1) {
      expect(answer.status).toBe(200)
      const token = answer.body.refresh_token
      answer = await orDead(phone.refresh(token))
      if (answer?.status === 200) witness.rotated.push(token)
      seen()
    }
    if (answer === undefined) return
    witness.current.push(answer.body.refresh_token)
    seen()
  }
}

/** Nothing in the database contradicts itself. */
async function expectWhole(latchkey: RunningLatchkey): Promise<number> {
  const { db } = latchkey.app.storage
  expect(await countOrphans(latchkey)).toBe(0)
  const users = await db.user.findMany({ include: { password: true, passwordLinks: true } })
  expect(
    users.filter(({ password, passwordLinks }) => password === null && passwordLinks.length === 0),
  ).toEqual([])
  const told = await db.auditEvent.findMany({ where: { action: 'users.created' }, select: { userId: true } })
  expect(told.map(({ userId }) => userId).toSorted()).toEqual(users.map(({ id }) => id).toSorted())
  return users.length
}

/** How many of the bearer values could still be used. */
async function unused(
  { app: { storage } }: RunningLatchkey,
  model: string,
  values: readonly unknown[],
): Promise<number> {
  const ids = values.map((value) => hashSecret(String(value)))
  return await storage.db.artefact.count({ where: { model, id: { in: ids }, consumedAt: null } })
}

it(`keeps its word through ${rounds} deaths under load`, async () => {
  const database = await createDatabase(withKeys)
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const options = { databaseUrl: database.url, environment: { LATCHKEY_ISSUER: issuer, PORT: String(port) } }
  let latchkey = await startLatchkey(options)
  const parties = await stable(latchkey)
  await latchkey.close()

  const witness: Witness = { redeemed: [], rotated: [], current: [] }
  for (let round = 0; round < rounds; round += 1) {
    const environment = { LATCHKEY_TEST_CREATE_USERS: 'true' }
    await using server = await startServerProcess({ databaseUrl: database.url, issuer, port, environment })
    expect((await send(server, '/health/ready')).status).toBe(200)
    // Somewhere in the middle of it, each round a little later: as soon as so many answers have arrived, and in
    // the second half of the rounds not before another family rests.
    const enough = Promise.withResolvers<void>()
    const limit = witnessed(witness) + 5 + 2 * round
    const resting = witness.current.length + (round < rounds / 2 ? 0 : 1)
    const seen = (): void => {
      if (witnessed(witness) >= limit && witness.current.length >= resting) enough.resolve()
    }
    const load = times(workers, () => work(server, parties, { witness, seen }))
    await Promise.race([enough.promise, load])
    await server.kill()
    await load
  }

  latchkey = await startLatchkey(options)
  expect(await expectWhole(latchkey)).toBeGreaterThan(rounds)
  expect(witness.redeemed.length).toBeGreaterThan(rounds * 2)
  expect(witness.rotated.length).toBeGreaterThan(rounds)
  expect(witness.current.length).toBeGreaterThanOrEqual(rounds / 2)
  const codes = witness.redeemed.map(({ code }) => code)
  expect(await unused(latchkey, 'AuthorizationCode', codes)).toBe(0)
  expect(await unused(latchkey, 'RefreshToken', witness.rotated)).toBe(0)
  expect(await unused(latchkey, 'RefreshToken', witness.current)).toBe(witness.current.length)

  // A death takes nothing that was answered; what was used is known as used, and its reuse ends the grant.
  const [shop, phone] = [application(latchkey, parties.web), application(latchkey, parties.native)]
  const renewed = await phone.refresh(witness.current.at(-1))
  expect(renewed.status).toBe(200)
  expect(await phone.refresh(witness.rotated[0])).toMatchObject(refused)
  for (const token of [...witness.current, renewed.body.refresh_token])
    expect(await phone.refresh(token)).toMatchObject(refused)
  for (const code of witness.redeemed)
    expect([await shop.redeem(code), await phone.redeem(code)]).toMatchObject([refused, refused])
  await expectWhole(latchkey)
  await latchkey.close()
  await database.drop()
}, 120_000)
