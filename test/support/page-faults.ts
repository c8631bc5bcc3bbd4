/** What must never be wrong with a page, whatever it says: found in a real browser. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** Evaluated from outside the page, where its policy does not reach. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  readonly id: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

const described = ({ id, nodes }: Finding): string =>
  `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary ?? ''}`).join('; ')}`

async function findings(tab: Page, options: object): Promise<readonly string[]> {
  const wishes = JSON.stringify({ resultTypes: ['violations'], iframes: false, ...options })
  const { violations } = await tab.evaluate<{ violations: Finding[] }>(`axe.run(${wishes})`)
  return violations.map(described)
}

/** Beside what axe knows: a page that scrolls sideways, and buttons that a finger misses. */
const ownFindings = `(() => {
  const root = document.documentElement
  const sideways = root.scrollWidth - root.clientWidth
  const low = [...document.querySelectorAll('button, a.button')].filter((each) => {
    const { height } = each.getBoundingClientRect()
    return height > 0 && height < 44 && matchMedia('(max-width: 32rem)').matches
  })
  return [
    ...(sideways === 0 ? [] : ['scrolls sideways by ' + sideways + 'px']),
    ...low.map((each) => 'a button lower than 44px: ' + each.outerHTML.slice(0, 120)),
  ]
})()`

/** WCAG 2.2 AA and good practice, by axe-core, with targets of 24 by 24 pixels (2.5.8). */
export async function faultsOf(tab: Page): Promise<readonly string[]> {
  await tab.evaluate(axe)
  const known = await findings(tab, { rules: { 'target-size': { enabled: true } } })
  return [...known, ...(await tab.evaluate<string[]>(ownFindings))]
}

/** The same page in the other colours, where alone contrast can differ. */
export async function faultsInScheme(tab: Page, colorScheme: 'light' | 'dark'): Promise<readonly string[]> {
  await tab.emulateMedia({ colorScheme })
  return (await findings(tab, { runOnly: ['color-contrast', 'link-in-text-block'] })).map(
    (each) => `${colorScheme}: ${each}`,
  )
}

/** What a page may never do: an error or a blocked thing in the console, a request to anybody but `ours`. */
export function watch(tab: Page, ours: readonly string[]): { readonly faults: string[] } {
  const faults: string[] = []
  tab.on('console', (message) => {
    // The browser says so of every answer that is an error, error pages included.
    const isStatus = /^Failed to load resource: the server responded with a status of 4/.test(message.text())
    if (['error', 'warning'].includes(message.type()) && !isStatus) faults.push(message.text())
  })
  tab.on('pageerror', (error) => faults.push(String(error)))
  tab.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (protocol !== 'data:' && !ours.includes(origin)) faults.push(`a request to ${request.url()}`)
  })
  return { faults }
}
