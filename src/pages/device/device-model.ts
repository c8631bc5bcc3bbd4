import type { Context } from 'koa'
import type { PendingInteraction } from '../../provider/index.ts'
import type { DeviceModel } from '../models.ts'
import { factsOf } from '../page.ts'
import type { PagePorts } from '../ports.ts'

/** What the page that allows a device shows of it. */
export async function deviceModel(
  { describeBrowser, networkOf }: Pick<PagePorts, 'describeBrowser' | 'networkOf'>,
  ctx: Context,
  { device }: PendingInteraction,
): Promise<DeviceModel | undefined> {
  if (device === undefined) return undefined
  const { userCode, startedAt, firstParty, address, userAgent } = device
  return {
    userCode,
    startedAt,
    firstParty,
    address,
    sameNetwork: networkOf(address) === networkOf(factsOf(ctx).address),
    ...(await describeBrowser(userAgent)),
  }
}
