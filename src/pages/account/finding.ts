import type { AccountPage, Panel, PanelAct, PanelPage } from '../../features/feature.ts'
import type { Text } from '../../kernel/text.ts'

/** The pages of an account in their order, with what each is called. */
const accountPages: readonly { readonly name: AccountPage; readonly title: Text }[] = [
  { name: 'profile', title: { key: 'account.profile' } },
  { name: 'security', title: { key: 'account.security' } },
  { name: 'devices', title: { key: 'account.devices' } },
  { name: 'applications', title: { key: 'account.applications' } },
  { name: 'activity', title: { key: 'account.activity' } },
  { name: 'data', title: { key: 'account.data' } },
]

/** The address of a page of the account. */
export const pathOfPage = (page: AccountPage): string =>
  page === 'profile' ? '/account' : `/account/${page}`

/** The address below which a panel has its own pages and acts. */
export const baseOf = ({ page, name }: Panel): string => `/account/${page}/${name}`

/** The parts of the account by their addresses. */
export interface Finding {
  /** The pages that have panels. */
  readonly pages: typeof accountPages
  panelsOf(page: AccountPage): readonly Panel[]
  page(
    page: string,
    panel: string,
    name: string,
  ): { readonly panel: Panel; readonly page: PanelPage } | undefined
  act(
    page: string,
    panel: string,
    name: string,
  ): { readonly panel: Panel; readonly act: PanelAct } | undefined
}

export function openFinding(panels: readonly Panel[]): Finding {
  const sorted = panels.toSorted((a, b) => a.order - b.order)
  const byBase = new Map(sorted.map((panel) => [baseOf(panel), panel]))
  const own = <T>(entries: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
    entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : undefined

  return {
    pages: accountPages.filter(({ name }) => sorted.some(({ page }) => page === name)),
    panelsOf: (page) => sorted.filter((panel) => panel.page === page),
    page(page, name, part) {
      const panel = byBase.get(`/account/${page}/${name}`)
      const found = own(panel?.pages, part)
      return panel && found && { panel, page: found }
    },
    act(page, name, part) {
      const panel = byBase.get(`/account/${page}/${name}`)
      const found = own(panel?.acts, part)
      return panel && found && { panel, act: found }
    },
  }
}
