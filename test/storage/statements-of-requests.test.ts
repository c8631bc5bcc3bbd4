/** What the requests of every day cost in statements: nothing that is new for few may make all of them dearer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type Application, type Code, register, userinfo } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { countStatements, type StatementCounter } from '../support/statements.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const runs = 4
const orders = 'https://orders.example.test'
const scope = 'openid profile email offline_access'

describe('the statements of a request', () => {
  let latchkey: RunningLatchkey
  let shop: Application
  let service: Application
  let counter: StatementCounter
  const visitor = newVisitor()

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    await latchkey.createApi({ indicator: orders, name: 'Orders', scopes: [{ name: 'read' }] })
    shop = await register(latchkey)
    service = await register(latchkey, {
      kind: 'service',
      redirectUris: undefined,
      firstParty: undefined,
      scopes: ['read'],
    })
    await shop.signIn(visitor, ada, { scope })
    counter = countStatements()
  })
  afterAll(async () => {
    counter[Symbol.dispose]()
    await latchkey.close()
  })

  const codes = (): Promise<readonly Code[]> =>
    Promise.all(Array.from({ length: runs }, () => shop.signIn(visitor, ada, { scope })))
  const tokens = async () => {
    const [code] = await codes()
    return (await shop.redeem(code ?? { code: '', verifier: '' })).body
  }
  const most = async (work: () => Promise<{ readonly status: number }>): Promise<number> => {
    const expectWorks = async (): Promise<void> => expect((await work()).status).toBeLessThan(304)
    await expectWorks()
    return await counter.leastOf(runs - 1, expectWorks)
  }

  it('for a service are one where its token is opaque, and none where it is a JWT', async () => {
    expect(await most(() => service.credentials())).toBe(1)
    expect(await most(() => service.credentials({ resource: orders, scope: 'read' }))).toBe(0)
  })

  it('for a service are none, too, when other clients have just come, changed and gone', async () => {
    const { resource } = latchkey.app.features.clients
    const jwt = () => service.credentials({ resource: orders, scope: 'read' })
    await jwt()
    const counts: number[][] = [[], [], []]
    const count = async (kind: number) => counts[kind]?.push(await counter.leastOf(1, jwt))
    for (let run = 0; run < runs; run += 1) {
      const { id } = await latchkey.createClient({ kind: 'service', name: 'Guest' })
      await count(0)
      const guest = await resource.find(id)
      if (guest === undefined) throw new Error('The guest is not there.')
      await resource.update(guest, { name: 'Other guest' }, commandLineActor)
      await count(1)
      await resource.delete(guest, commandLineActor)
      await count(2)
    }
    // Jobs may be at work beside one of them.
    expect(counts.map((each) => Math.min(...each))).toEqual([0, 0, 0])
  })

  it('for a person who is signed in already are four', async () => {
    expect(await most(() => shop.visit(visitor, { scope }))).toBeLessThanOrEqual(4)
  })

  it('for a code are six', async () => {
    const unused = (await codes()).values()
    expect(
      await most(() => shop.redeem(unused.next().value ?? { code: '', verifier: '' })),
    ).toBeLessThanOrEqual(6)
  })

  it('for a refresh token are four', async () => {
    const { refresh_token } = await tokens()
    expect(await most(() => shop.refresh(refresh_token))).toBeLessThanOrEqual(4)
  })

  it('for user information are three', async () => {
    const { access_token } = await tokens()
    expect(await most(() => userinfo(latchkey, access_token))).toBeLessThanOrEqual(3)
  })

  it('for introspection are four', async () => {
    const { body } = await service.credentials()
    expect(await most(() => service.introspect(body.access_token))).toBeLessThanOrEqual(4)
  })
})
