import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { losses } from '../support/losses.ts'
import { act, holdAll } from '../support/rights.ts'
import { openRights, type RightsWorld } from '../support/rights-clients.ts'
import { type Row, table } from '../support/rights-table.ts'
import { type Thing, things } from '../support/rights-things.ts'

/** What everything is good for as long as nothing is lost. */
const before = (thing: Thing): string => {
  if (thing === 'pushed request') return 'asked to sign in'
  return thing.endsWith('that waits') ? '400 authorization_pending' : 'given'
}

const isAsBefore = (outcome: string): boolean => /^(not applicable|kept): /.test(outcome)

const expected = (row: Row): Record<string, string> =>
  Object.fromEntries(
    Object.entries(row).flatMap(([outcome, all]) =>
      all.map((thing) => [thing, isAsBefore(outcome) ? before(thing) : outcome]),
    ),
  )

describe('what somebody has in hand', () => {
  let world: RightsWorld

  beforeAll(async () => {
    world = await openRights()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it('is worth something as long as nothing is lost', async () => {
    const held = await holdAll(world)
    expect(await held.useAll()).toEqual(Object.fromEntries(things.map((thing) => [thing, before(thing)])))
  })

  it.each(Object.keys(losses) as (keyof typeof losses)[])(
    'is worth what the table says once %s',
    async (loss) => {
      const held = await holdAll(world)
      await losses[loss](world, held)
      const left = await held.useAll()
      if (loss === 'the trusted issuer is disabled')
        await act(world.latchkey, 'trustedIssuers', [world.cluster.issuer, 'enable'])
      expect(left).toEqual(expected(table[loss]))
    },
  )
})

describe('the table', () => {
  it.each(Object.entries(table))('names each thing once: %s', (_loss, row) => {
    expect(Object.values(row).flat().toSorted()).toEqual(things.toSorted())
  })
})
