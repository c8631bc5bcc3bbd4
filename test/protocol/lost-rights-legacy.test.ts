import { describe, expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { startLatchkey, withKeys } from '../support/latchkey.ts'
import { holdAll } from '../support/rights.ts'
import { openRights } from '../support/rights-clients.ts'
import type { Thing } from '../support/rights-things.ts'

const allowed = { LATCHKEY_CLIENTS_ALLOW_LEGACY: 'true' }

/** Those of clients that people sign in to, with what they are good for before and after. */
const outcomes: Readonly<Partial<Record<Thing, readonly [allowed: string, withdrawn: string]>>> = {
  'authorization code': ['given', '400 unauthorized_client'],
  'refresh token that rotates': ['given', '400 unauthorized_client'],
  'refresh token that stays': ['given', '400 unauthorized_client'],
  'device code': ['given', '400 unauthorized_client'],
  'device code that waits': ['400 authorization_pending', '400 unauthorized_client'],
  'backchannel request': ['given', '400 unauthorized_client'],
  'backchannel request that waits': ['400 authorization_pending', '400 unauthorized_client'],
  'access token at user information': ['given', '400 unauthorized_client'],
  'opaque access token at introspection': ['given', 'inactive'],
  'JWT access token at introspection': ['given', 'inactive'],
  'session cookie': ['given', 'page 400'],
  'pending interaction': ['given', 'page 400'],
  'pushed request': ['asked to sign in', 'page 400'],
}
const only = Object.keys(outcomes) as Thing[]

/** What is left of everything that clients of the profile legacy held, after the server starts again. */
async function leftAfterRestart(environment: Readonly<Record<string, string>>) {
  const database = await createDatabase(withKeys)
  const world = await openRights({ databaseUrl: database.url, environment: allowed })
  const held = await holdAll(world, { only, input: { profile: 'legacy' } })
  await world[Symbol.asyncDispose]()
  const { port: PORT } = new URL(world.latchkey.issuer)
  const again = await startLatchkey({ databaseUrl: database.url, environment: { ...environment, PORT } })
  const left = await held.useAll()
  await again.close()
  await database.drop()
  return left
}

const column = (index: 0 | 1) =>
  Object.fromEntries(Object.entries(outcomes).map(([thing, both]) => [thing, both[index]]))

describe('clients of the profile legacy', () => {
  it('keep nothing once the server allows that profile no more', async () => {
    expect(await leftAfterRestart({})).toEqual(column(1))
  })

  it('keep everything as long as it does', async () => {
    expect(await leftAfterRestart(allowed)).toEqual(column(0))
  })
})
