import { expect, it } from 'vitest'
import { checkConformance } from './conformance.ts'
import { plantTree } from './tree.ts'

const house = {
  'docs/conformance.md': '| Devices | All | [devices](../test/protocol/devices.test.ts) |\n',
  'test/protocol/devices.test.ts': '',
  'test/support/devices.ts': '',
}

it('is content where every test of the protocol is named', () => {
  expect(checkConformance(plantTree(house))).toEqual({ faults: [], summary: '1 tests of specifications' })
})

it('finds the test that nobody named, and the name that leads nowhere', () => {
  const root = plantTree({
    ...house,
    'docs/conformance.md':
      '[devices](../test/protocol/devices.test.ts) [gone](../test/protocol/gone.test.ts)',
    'test/protocol/logout.test.ts': '',
  })
  expect(checkConformance(root).faults).toEqual([
    'test/protocol/logout.test.ts is not named by docs/conformance.md: add it to the row of its specification',
    'docs/conformance.md names test/protocol/gone.test.ts, which is not there: mend or remove the link',
  ])
})

it('says so where there is nothing to check', () => {
  expect(
    checkConformance(plantTree({ 'docs/conformance.md': '', 'test/protocol/README.md': '' })).faults,
  ).toEqual(['test/protocol holds no test, so nothing was checked'])
})
