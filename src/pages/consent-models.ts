import type { DetailView } from '../kernel/detail-words.ts'
import type { Text } from '../kernel/text.ts'
import type { AccountView, ClientView, ScopeView } from './party-models.ts'

/** Three separate posts without fields of their own: allow (`action`), deny (`abortAction`), another account (`switchAction`). */
export interface ConsentModel {
  readonly action: string
  readonly abortAction: string
  readonly switchAction: string
  readonly client: ClientView
  readonly account: AccountView
  readonly scopes: readonly ScopeView[]
  readonly resources: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[]
  /** Single claims that are asked for beside the scopes. */
  readonly claims?: readonly string[]
  /** What is asked in all its particulars. */
  readonly details?: readonly DetailView[]
  readonly offlineAccess: boolean
  readonly accessForSeconds?: number
  readonly device?: DeviceModel
  /** Something was allowed before, and `scopes` and `resources` are only what is added. */
  readonly newOnly: boolean
}

/** The device that asks, on the page that allows it. */
export interface DeviceModel {
  readonly userCode: string
  readonly startedAt: Date
  readonly firstParty: boolean
  readonly browser?: string
  readonly system?: string
  readonly address: string
  /** It asks from the network of the browser that shows the page. */
  readonly sameNetwork: boolean
}

/** Posts `user_code`, `xsrf` and `confirm`. With `asks` the code came with a link and is only to be compared. */
export interface DeviceCodeModel {
  readonly action: string
  readonly code: string
  readonly asks: boolean
  readonly error?: Text
}
