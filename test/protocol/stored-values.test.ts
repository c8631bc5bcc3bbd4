import { describe, expect, it } from 'vitest'
import { application, callback, register, sessionCookie } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const bob = { email: 'bob@example.test', name: 'Bob', password: 'a different engine 1844' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const silent = { prompt: 'none' }

/** Every row of every table, as text. */
async function dump({ app: { storage } }: RunningLatchkey): Promise<string> {
  const names =
    storage.dialect === 'sqlite'
      ? `SELECT name FROM sqlite_master WHERE type = 'table'`
      : `SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'`
  const tables = await storage.db.$queryRawUnsafe<{ name: string }[]>(names)
  const rows = await Promise.all(
    tables.map(({ name }) => storage.db.$queryRawUnsafe<object[]>(`SELECT * FROM "${name}"`)),
  )
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

describe('the database', () => {
  it('holds no value that would serve whoever reads it', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const link = await latchkey.app.features.setup.setup.issueLink()
    const client = await latchkey.createClient({ kind: 'web', name: 'Shop', redirectUris: [callback] })
    const shop = application(latchkey, client)
    const visitor = newVisitor()
    const { body } = await shop.redeem(await shop.signIn(visitor, ada, offline))
    const code = await shop.signIn(visitor, ada)
    const pushed = await shop.push({ ...(await shop.begin()).params, prompt: 'login' })
    const requestUri = String(pushed.body.request_uri)
    const pushing = new URLSearchParams({ client_id: shop.id, request_uri: requestUri })
    await visitor.get(`${latchkey.issuer}/auth?${pushing}`)
    const form = await shop.visit(visitor, { prompt: 'login' })
    const secrets = {
      code: code.code,
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
      clientSecret: client.secret,
      password: ada.password,
      setupToken: new URL(link.url).searchParams.get('token'),
      interaction: new URL(form.url).pathname.split('/').at(-1),
      pushed: requestUri.split(':').at(-1),
      ...Object.fromEntries(visitor.cookies.map(({ name, value, path }) => [`${name} ${path}`, value])),
    }
    for (const [name, secret] of Object.entries(secrets))
      expect(String(secret).length, name).toBeGreaterThan(16)
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining(['latchkey_session /', 'latchkey_device /']))
    const text = await dump(latchkey)
    expect(text).toContain(ada.email)
    expect(
      Object.entries(secrets)
        .filter(([, secret]) => text.includes(String(secret)))
        .map(([name]) => name),
    ).toEqual([])
  })

  it('opens no sealed value in the place of another one', async () => {
    await using latchkey = await startLatchkey()
    const { storage, features } = latchkey.app
    const { keys } = features.signingKeys
    const [one, two] = await storage.db.signingKey.findMany({ take: 2 })
    const move = (kid: string | undefined, sealedJwk: string | undefined) =>
      storage.db.signingKey.updateMany({ where: { kid: kid ?? '' }, data: { sealedJwk: sealedJwk ?? '' } })
    await move(one?.kid, two?.sealedJwk)
    await expect(keys.snapshot()).rejects.toMatchObject({ code: 'sealing.unreadable' })
    await move(one?.kid, one?.sealedJwk)
    expect((await keys.snapshot()).jwks.length).toBeGreaterThan(0)
    const secrets = await storage.db.serverSecret.findMany({ orderBy: { name: 'asc' } })
    expect(secrets.length).toBeGreaterThan(1)
    await storage.db.serverSecret.updateMany({
      where: { name: secrets[0]?.name ?? '' },
      data: { sealed: secrets[1]?.sealed ?? '' },
    })
    await expect(keys.snapshot()).rejects.toMatchObject({ code: 'sealing.unreadable' })
  })

  it('gives one session no identifier of another one', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createUser(bob)
    const shop = await register(latchkey)
    const [adas, bobs] = [newVisitor(), newVisitor()]
    await shop.signIn(bobs, bob)
    await shop.signIn(adas, ada)
    const before = adas.clone()
    await shop.signIn(adas, ada, { prompt: 'consent' })
    const { db } = latchkey.app.storage
    const [row, other] = [
      await db.artefact.findFirst({ where: { model: 'Session', previousId: { not: null } } }),
      await db.artefact.findFirst({ where: { model: 'Session', previousId: null } }),
    ]
    await db.artefact.updateMany({
      where: { model: 'Session', id: row?.id ?? '' },
      data: { sealedId: other?.sealedId ?? null },
    })
    expect((await shop.visit(before, silent)).status).toBe(500)
    expect(sessionCookie(before)).not.toBe(sessionCookie(bobs))
  })
})
