import type { Locator, Page } from 'playwright-core'

/** How a person handles a page. */
export interface Hands {
  press(target: Locator): Promise<void>
  write(target: Locator, text: string): Promise<void>
  /** Leaves a box ticked, whether it was before or not. */
  tick(target: Locator): Promise<void>
}

export const mouse: Hands = {
  press: (target) => target.click(),
  write: (target, text) => target.fill(text),
  tick: (target) => target.check(),
}

const patience = 100

/** Waits until it has the focus: a page can be read before the browser has given `autofocus` its due. */
export const focusOn = async (target: Locator): Promise<void> =>
  await target.and(target.page().locator(':focus')).waitFor()

/** Waits until the browser has drawn the page twice, when `autofocus` has had its due. */
export async function drawn(tab: Page): Promise<void> {
  const page = await tab.waitForSelector('body')
  await page.waitForElementState('stable')
}

/** Goes on with the Tab key, from where the page puts the focus, until it is on what is wanted. Throws where it never is. */
export async function tabTo(target: Locator): Promise<void> {
  const tab = target.page()
  await drawn(tab)
  for (let presses = 0; presses < patience; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await tab.keyboard.press('Tab')
  }
  throw new Error(`The Tab key does not lead to ${String(target)} at ${tab.url()}.`)
}

/** By the keyboard alone. */
export function keyboard(tab: Page): Hands {
  return {
    async press(target) {
      await tabTo(target)
      await tab.keyboard.press('Enter')
    },
    async write(target, text) {
      await tabTo(target)
      await tab.keyboard.press('ControlOrMeta+a')
      await tab.keyboard.type(text)
    },
    async tick(target) {
      await tabTo(target)
      if (!(await target.isChecked())) await tab.keyboard.press('Space')
    },
  }
}
