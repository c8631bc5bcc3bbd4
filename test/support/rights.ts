/**
 * Everything that somebody can hold of the server, in hand at once.
 *
 *     await using world = await openRights()
 *     const held = await holdAll(world)
 *     await held.useAll()
 */
import { randomUUID } from 'node:crypto'
import { commandLineActor } from '../../src/kernel/http.ts'
import type { UserId } from '../../src/kernel/ids.ts'
import type { Credentials } from './application.ts'
import type { RunningLatchkey } from './latchkey.ts'
import { client, type RightsWorld } from './rights-clients.ts'
import { type Holding, holders, type Setting, type Thing, things } from './rights-things.ts'
import { newVisitor, type Visitor } from './visitor.ts'

export interface Everything {
  readonly userId: UserId
  readonly person: Credentials
  readonly visitor: Visitor
  /** Indicators of the two APIs. */
  readonly apis: readonly string[]
  readonly holdings: Readonly<Record<Thing, Holding>>
  /** What each is still good for; all are used up by that. */
  useAll(): Promise<Readonly<Record<Thing, string>>>
}

/** Whom and what the holders are about; `only` some things, of clients that are `input` besides. */
export interface Choice {
  readonly only?: readonly Thing[]
  readonly input?: Readonly<Record<string, unknown>>
}

/** A new person, new clients and new APIs, and everything in hand, in one session. */
export async function holdAll(
  world: RightsWorld,
  { only = things, input = {} }: Choice = {},
): Promise<Everything> {
  const { latchkey } = world
  const name = randomUUID()
  const person = { email: `${name}@example.test`, password: 'analytical engine 1843' }
  const userId = (await latchkey.createUser(person)) as UserId
  const reader = await client(world, { kind: 'service', scopes: [] })
  const [opaqueApi, jwtApi] = [`https://stock.example.test/${name}`, `https://orders.example.test/${name}`]
  for (const [indicator, tokenFormat] of [
    [opaqueApi, 'opaque'],
    [jwtApi, 'jwt'],
  ] as const)
    await latchkey.createApi({
      indicator,
      name: indicator,
      tokenFormat,
      scopes: [{ name: 'orders:read' }, { name: 'orders:write' }],
      introspectors: [reader.id],
    })
  const visitor = newVisitor()
  const setting: Setting = { world, visitor, person, opaqueApi, jwtApi, reader, input }
  const opened: [Thing, Holding][] = []
  for (const thing of only) opened.push([thing, await holders[thing](setting)])
  const holdings = Object.fromEntries(opened) as Record<Thing, Holding>
  return {
    userId,
    person,
    visitor,
    apis: [opaqueApi, jwtApi],
    holdings,
    async useAll() {
      const told: [Thing, string][] = []
      for (const thing of only) told.push([thing, await holdings[thing].use()])
      return Object.fromEntries(told) as Record<Thing, string>
    },
  }
}

/** Changes or runs a verb of a client, an API or a trusted issuer, as the command line does. */
export async function act(
  { app }: RunningLatchkey,
  name: 'clients' | 'resources' | 'users' | 'trustedIssuers',
  [key, verb]: readonly [key: string, verb: string],
): Promise<void> {
  const { resource } = app.features[name]
  const item = await resource.find(key)
  if (item === undefined) throw new Error(`There is no ${key}.`)
  const run = resource.actions.find((each) => each.name === verb)?.run as (
    ...given: unknown[]
  ) => Promise<unknown>
  await run(item, {}, commandLineActor)
}
