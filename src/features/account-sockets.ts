/** What a feature plugs into the pages of a person's account, and into mails. */
import type { RequestFacts } from '../kernel/http.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Text, View } from '../kernel/text.ts'
import type { Holder } from './sign-in-sockets.ts'

/** A part of a page of a person's account. Posts go to `/account/<page>/<panel>/<act>`. */
export interface Panel {
  /** Its segment in the addresses. */
  readonly name: string
  readonly page: AccountPage
  readonly order: number
  /** A partial template; `undefined` where there is nothing to show. */
  show(visit: Visit): Promise<View | undefined>
  /** A page of its own below the page: `/account/<page>/<panel>/<name>`. */
  readonly pages?: Readonly<Record<string, PanelPage>>
  readonly acts?: Readonly<Record<string, PanelAct>>
}

export type AccountPage = 'profile' | 'security' | 'devices' | 'applications' | 'activity' | 'data'

/** Its addresses keep the parameters `for`, `iss`, `state` and `error…` to the sign-in that leads back to them. */
export interface PanelPage {
  /** Only for who has proven who he is in the last minutes, as before a change of credentials. */
  readonly fresh?: boolean
  /** A message. */
  readonly title: string
  /**
   * A partial template, the whole of the page below its title. After a refused form `query` is what was posted, without
   * secrets; after a form that was sent too late, and a proof, only its `id`.
   */
  show(visit: Visit, query: Readonly<Record<string, string>>): Promise<View>
}

export interface PanelAct {
  /** A form that is sent too late changes nothing: the person proves who he is, and is asked to do it again. */
  readonly fresh?: boolean
  /** The page on which a refused form is shown again, by its name in `pages`; the account's page where absent. */
  readonly page?: string
  /** Throws an `AppError` that is shown beside the form. */
  run(visit: Visit, form: Readonly<Record<string, string>>, file?: UploadedFile): Promise<ActOutcome>
  /** Takes at most one file as `multipart/form-data`, of at most so many bytes; `file` is absent where none was chosen. */
  readonly fileBytes?: number
}

export interface UploadedFile {
  readonly body: Buffer
  readonly type: string
}

/** What an act leads to: the page again with a word about what happened, another page, something to see once, or a file. */
export type ActOutcome =
  | { readonly notice: Text }
  | { readonly to: string; readonly notice?: Text }
  | { readonly title: string; readonly view: View }
  | { readonly file: { readonly name: string; readonly type: string; readonly body: string } }
  | { readonly signedOut: true }

/** Somebody signed in, on the pages of his account. */
export interface Visit {
  readonly userId: UserId
  readonly sessionUid: string
  /** When he last proved who he is. */
  readonly authenticatedAt: Date
  readonly holder: Holder
  readonly request: RequestFacts
  readonly locale: string
  readonly device?: string
}

/**
 * A mailed link: `/link/<name>?token=…`. Opening it changes nothing, since mail scanners open links too; its form does.
 */
export interface MailedLink {
  readonly name: string
  /** A partial template inside the form that posts the token. Throws an `AppError` for a link that is of no use. */
  show(token: string, visit: LinkVisit): Promise<LinkPage>
  finish(token: string, input: unknown, visit: LinkVisit): Promise<LinkPage | { readonly to: string }>
}

export interface LinkPage {
  /** A message. */
  readonly title: Text
  readonly view: View
}

export interface LinkVisit {
  readonly request: RequestFacts
  readonly locale: string
  readonly device?: string
}
