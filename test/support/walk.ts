/** The steps of a walk through pages, by whatever hands: what is found by its words would be found in one language alone. */
import type { Locator, Page } from 'playwright-core'
import type { Grounds } from './grounds.ts'
import type { Hands } from './hands.ts'

export interface Walk {
  readonly grounds: Grounds
  readonly tab: Page
  readonly hands: Hands
  readonly passkeys: boolean
}

export const go = async ({ tab, hands }: Walk, to: Locator): Promise<void> => {
  await Promise.all([tab.waitForEvent('framenavigated'), hands.press(to.first())])
  await tab.waitForLoadState('load')
}

export const send = async (walk: Walk): Promise<void> =>
  await go(walk, walk.tab.locator('main button.primary[type=submit]'))

export const fill = async ({ tab, hands }: Walk, values: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, value] of Object.entries(values))
    await hands.write(tab.locator(`main [name="${name}"]`).first(), value)
}

export const tick = async ({ tab, hands }: Walk, name: string): Promise<void> =>
  await hands.tick(tab.locator(`main [name="${name}"]`))
