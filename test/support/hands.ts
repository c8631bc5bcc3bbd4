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

/** By the keyboard alone: whatever is wanted has to be reached with the Tab key. Throws where it cannot be. */
export function keyboard(tab: Page): Hands {
  const reach = async (target: Locator): Promise<void> => {
    for (let presses = 0; presses < patience; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return
      await tab.keyboard.press('Tab')
    }
    throw new Error(`The Tab key does not lead to ${String(target)} at ${tab.url()}.`)
  }
  return {
    async press(target) {
      await reach(target)
      await tab.keyboard.press('Enter')
    },
    async write(target, text) {
      await reach(target)
      await tab.keyboard.press('ControlOrMeta+a')
      await tab.keyboard.type(text)
    },
    async tick(target) {
      await reach(target)
      if (!(await target.isChecked())) await tab.keyboard.press('Space')
    },
  }
}
