import type { Context } from 'koa'
import { expect, it } from 'vitest'
import { addressKey } from '../../src/features/throttle/index.ts'
import { deviceModel } from '../../src/pages/device/device-model.ts'
import type { PendingInteraction } from '../../src/provider/index.ts'

const ports = { networkOf: addressKey, describeBrowser: async () => ({}) }

it.each([
  ['2001:db8:1:2::10', '2001:db8:1:2:abcd::7', true],
  ['2001:db8:1:2::10', '2001:db8:1:3::10', false],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
])('a device at %s and a browser at %s are in one network: %s', async (address, own, sameNetwork) => {
  const ctx = { state: { facts: { address: own } } } as unknown as Context
  const device = { userCode: 'BDWP-HQPK', startedAt: new Date(0), firstParty: false, address, userAgent: '' }
  const interaction = { device } as unknown as PendingInteraction
  expect(await deviceModel(ports, ctx, interaction)).toMatchObject({ address, sameNetwork })
})
