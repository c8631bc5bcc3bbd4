import { errors, Provider } from 'oidc-provider'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adapterFactory } from '../../src/provider/artefacts/adapter.ts'
import { neverRevive } from '../../src/provider/grants/known-grants.ts'
import { openSessions } from '../../src/provider/sessions/sessions.ts'
import { register, times } from '../support/application.ts'
import { answer, answerPage, bank } from '../support/asking.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('what has ended', () => {
  let latchkey: RunningLatchkey
  beforeEach(async () => {
    latchkey = await startLatchkey()
  })
  afterEach(() => latchkey.close())

  const storeOf = ({ app }: RunningLatchkey) => {
    const { artefacts } = app
    const sessions = openSessions({
      ...app,
      settings: app.config.provider,
      currentRequest: () => undefined,
    })
    return { artefacts, sessions }
  }

  /** The library with our storage, as a request would have it that read before somebody ended what it read. */
  const library = (): Provider => {
    const clients = {
      find: async () => undefined,
      listFederated: async () => [],
      verifySecret: async () => false,
    }
    const provider = new Provider(latchkey.issuer, {
      adapter: adapterFactory({
        ...storeOf(latchkey),
        clients,
        deviceCodes: {},
        backchannelRequests: {},
        serverScopes: new Set(),
        currentClientId: () => undefined,
      }),
    })
    neverRevive(provider)
    return provider
  }

  it('does not come back: a grant that was read before it was ended', async () => {
    const provider = library()
    const made = new provider.Grant({ accountId: 'ada', clientId: 'shop' })
    made.addOIDCScope('openid')
    const id = await made.save()
    const read = await provider.Grant.find(id)
    await storeOf(latchkey).artefacts.endGrant(id)
    read?.addOIDCScope('email')
    await expect(read?.save()).rejects.toBeInstanceOf(errors.InvalidGrant)
    await expect(made.save()).rejects.toBeInstanceOf(errors.InvalidGrant)
    expect(await latchkey.app.storage.db.artefact.count({ where: { model: 'Grant' } })).toBe(0)
  })

  it('does not come back: a grant that is ended while twenty requests write it', async () => {
    const provider = library()
    const made = new provider.Grant({ accountId: 'ada', clientId: 'shop' })
    const id = await made.save()
    const read = await times(20, () => provider.Grant.find(id))
    await Promise.allSettled([
      ...read.slice(0, 10).map((grant) => grant?.save()),
      storeOf(latchkey).artefacts.endGrant(id),
      ...read.slice(10).map((grant) => grant?.save()),
    ])
    expect(await provider.Grant.find(id)).toBeUndefined()
  })

  it('does not come back: a session to which something is given after it was ended', async () => {
    const { artefacts, sessions } = storeOf(latchkey)
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    const visitor = newVisitor()
    await shop.redeem(await shop.signIn(visitor, ada))
    const [row] = await latchkey.app.storage.db.artefact.findMany({ where: { model: 'Session' } })
    const uid = row?.sessionUid ?? ''
    expect(await sessions.authorize(uid, 'bank', { grantId: 'x' })).toMatchObject({
      authorizations: { bank: { grantId: 'x' }, [shop.id]: { grantId: expect.any(String) } },
    })
    await latchkey.app.storage.transaction((db) => artefacts.endSession(db, uid, { offlineAccess: false }))
    expect(await sessions.authorize(uid, 'bank', { grantId: 'y' })).toBeUndefined()
    expect(await latchkey.app.storage.db.artefact.count({ where: { model: 'Session' } })).toBe(0)
  })

  it('loses nothing of what twenty give to a session at once', async () => {
    const { sessions } = storeOf(latchkey)
    await latchkey.createUser(ada)
    const shop = await register(latchkey)
    await shop.signIn(newVisitor(), ada)
    const [row] = await latchkey.app.storage.db.artefact.findMany({ where: { model: 'Session' } })
    const uid = row?.sessionUid ?? ''
    await times(20, (index) => sessions.authorize(uid, `client-${index}`, { grantId: `grant-${index}` }))
    const { authorizations = {} } = (await sessions.findByUid(uid)) as { authorizations?: object }
    expect(Object.keys(authorizations)).toHaveLength(21)
  })
})

describe('an approval', () => {
  it('that loses to a refusal leaves what the session had as it was', async () => {
    await using asking = await bank()
    const { door, begin, id } = asking
    const visitor = await door.signedIn()
    await begin()
    const page = await answerPage(door, visitor)
    await answer(door, visitor, 'deny')
    const late = await visitor.submit(page, {}, { action: '/approve' })
    expect(late.status).toBe(404)
    expect(
      await door.latchkey.app.storage.db.artefact.count({ where: { model: 'Grant', clientId: id } }),
    ).toBe(0)
  })
})
