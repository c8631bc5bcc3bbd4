import type { MessageKey, MessageParams } from './messages.ts'

/** What each template is given. The keys are template names under `views/`; values are shown escaped. */
export interface PageModels {
  readonly 'login/sign-in': SignInModel
  readonly 'login/consent': ConsentModel
  readonly 'login/expired': EndedSignInModel
  readonly 'login/other-browser': EndedSignInModel
  readonly 'logout/confirm': SignOutModel
  readonly 'logout/done': {
    readonly client?: { readonly name: string; readonly uri?: string }
    readonly homeUrl: string
    /** Signed out of the client alone. */
    readonly stillSignedIn?: boolean
  }
  readonly 'setup/form': SetupModel
  readonly 'setup/invalid': { readonly reason: 'missing' | 'expired' | 'used'; readonly command: string }
  readonly 'password/choose': ChoosePasswordModel
  readonly 'password/invalid-link': { readonly homeUrl: string }
  readonly 'password/done': { readonly homeUrl: string }
  readonly home: HomeModel
  readonly error: ErrorModel
}

/** A message and its parameters, translated when the page is rendered. */
export interface Text {
  readonly key: MessageKey
  readonly params?: MessageParams
}

/** A client as the person sees it; links that are not http(s) are left out of the page. */
export interface ClientView {
  readonly name: string
  readonly logoUri?: string
  readonly clientUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
}

/** A person as the pages show them: name first, then whichever of e-mail address and user name is known. */
export interface AccountView {
  readonly name?: string
  readonly email?: string
  readonly username?: string
}

/** Posts `identifier` (absent when `reauthentication`) and `password` to `action`. */
export interface SignInModel {
  readonly action: string
  readonly client: ClientView
  readonly identifier?: string
  readonly error?: Text
  /** Where the cancel button posts; without it there is no such button. */
  readonly abortAction?: string
  /** The person is known and only proves it again: `identifier` is shown and cannot be changed. */
  readonly reauthentication?: boolean
}

/** A scope with its own words; the standard OpenID Connect scopes are described by message files instead. */
export interface ScopeView {
  readonly name: string
  readonly description?: string
}

/** Three separate posts without fields of their own: allow (`action`), deny (`abortAction`), another account (`switchAction`). */
export interface ConsentModel {
  readonly action: string
  readonly abortAction: string
  readonly switchAction: string
  readonly client: ClientView
  readonly account: AccountView
  readonly scopes: readonly ScopeView[]
  readonly resources: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[]
  readonly offlineAccess: boolean
  readonly accessForSeconds?: number
  /** Something was allowed before, and `scopes` and `resources` are only what is added. */
  readonly newOnly: boolean
}

/** `homeUrl` is the way on where the client is unknown or has no address. */
export interface EndedSignInModel {
  readonly client?: { readonly name: string; readonly uri?: string }
  readonly signedIn: boolean
  readonly homeUrl: string
  /** False where the browser sent none at all: it is new here, or keeps none. */
  readonly keepsCookies?: boolean
}

/** Posts `xsrf` and, from the button that signs out, `logout=yes` (OpenID Connect RP-Initiated Logout 1.0 §2). */
export interface SignOutModel {
  readonly action: string
  readonly xsrf: string
  readonly client?: { readonly name: string }
  readonly account?: AccountView
  /** Nothing is asked: a script submits the form, and a single button does without one. */
  readonly autoSubmit?: boolean
}

/** Posts `token`, `name`, `email`, `username` (may be empty) and `password`. A password is never given back. */
export interface SetupModel {
  readonly action: string
  readonly token: string
  readonly values?: { readonly name?: string; readonly email?: string; readonly username?: string }
  readonly errors?: { readonly [field in 'form' | 'name' | 'email' | 'username' | 'password']?: Text }
  /** In characters; the hint below the password field names it. */
  readonly minimumLength: number
}

/** Posts `token` and `password`. */
export interface ChoosePasswordModel {
  readonly action: string
  readonly token: string
  readonly account: AccountView
  /** In characters. */
  readonly minimumLength: number
  readonly errors?: { readonly [field in 'form' | 'password']?: Text }
}

/** Posts to `signOutAction` without fields of its own. */
export interface HomeModel {
  readonly account: AccountView & { readonly administrator: boolean }
  readonly signOutAction: string
  readonly sessionsSince?: Date
  readonly sampleUrl?: string
}

/** `code` and `description` are for support: a stable error code, and for protocol errors their `error_description`. */
export interface ErrorModel {
  readonly status: number
  readonly title: Text
  readonly message: Text
  readonly code?: string
  readonly description?: string
  readonly requestId: string
  readonly action?: { readonly url: string; readonly label: Text }
}
