import type { Text, View } from '../kernel/text.ts'
import type { ConsentModel, DeviceCodeModel } from './consent-models.ts'
import type { AccountView, ClientView } from './party-models.ts'

export type { Text } from '../kernel/text.ts'
export type { ConsentModel, DeviceCodeModel, DeviceModel } from './consent-models.ts'
export type { AccountView, ClientView, ScopeView } from './party-models.ts'

/** What each template is given. The keys are template names under `views/`; values are shown escaped. */
export interface PageModels {
  readonly 'login/sign-in': SignInModel
  readonly 'login/prove': ProveModel
  readonly 'login/enrol': EnrolModel
  readonly 'login/interlude': InterludeModel
  readonly 'login/consent': ConsentModel
  readonly 'login/expired': EndedSignInModel
  readonly 'login/other-browser': EndedSignInModel
  readonly 'device/code': DeviceCodeModel
  readonly 'device/approved': { readonly client?: { readonly name: string } }
  readonly 'device/denied': { readonly client?: { readonly name: string } }
  readonly 'logout/confirm': SignOutModel
  readonly 'logout/done': {
    readonly client?: { readonly name: string; readonly uri?: string }
    readonly homeUrl: string
    /** Signed out of the client alone. */
    readonly stillSignedIn?: boolean
  }
  readonly 'logout/telling': { readonly frames: readonly string[]; readonly continueTo: string }
  readonly 'setup/form': SetupModel
  readonly 'setup/invalid': { readonly reason: 'missing' | 'expired' | 'used'; readonly command: string }
  readonly 'password/choose': ChoosePasswordModel
  readonly 'password/invalid-link': { readonly homeUrl: string; readonly resetUrl?: string }
  readonly 'password/forgotten': ForgottenPasswordModel
  readonly 'password/sent': { readonly resetUrl: string }
  readonly 'password/done': { readonly homeUrl: string }
  readonly 'account/page': AccountPageModel
  readonly 'account/part': AccountPartModel
  readonly 'links/page': LinkModel
  readonly 'links/refused': { readonly problem: Text }
  readonly 'inbox/list': { readonly mails: readonly InboxMailView[] }
  readonly 'inbox/mail': { readonly mail: InboxMailView; readonly frameUrl: string }
  readonly 'registrations/form': RegisterModel
  readonly 'registrations/code': RegistrationCodeModel
  readonly 'registrations/refused': RegistrationRefusedModel
  readonly error: ErrorModel
}

/** Posts `identifier`; without mail it says whom to ask instead. */
export interface ForgottenPasswordModel {
  readonly action: string
  readonly byMail: boolean
  readonly homeUrl: string
  readonly identifier?: string
  readonly errors?: Readonly<Record<string, Text>>
}

/** Posts `email`, `password`, what the fields of the profile are called and, where there are terms, `terms`: their version. */
export interface RegisterModel {
  readonly action: string
  readonly signInPath: string
  readonly client: ClientView
  readonly form: RegistrationFormView
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, Text>>
  /** The field that is typed into first. */
  readonly first: string
  readonly loginHint?: string
  readonly abortAction?: string
}

export interface RegistrationFormView {
  /** Given by the invitation. */
  readonly email?: string
  /** In characters. */
  readonly minimumLength: number
  readonly terms?: { readonly version: string; readonly url: string; readonly privacyUrl?: string }
  readonly fields: View
}

/** Posts `code`; without fields of its own to `againAction`. */
export interface RegistrationCodeModel {
  readonly action: string
  readonly againAction: string
  readonly changePath: string
  readonly client: ClientView
  readonly email: string
  readonly code?: string
  readonly errors: Readonly<Record<string, Text>>
}

export interface RegistrationRefusedModel {
  readonly reason: 'closed' | 'needed' | 'ended'
  readonly client?: ClientView
  readonly signInPath: string
}

/** A mail of development mode. */
export interface InboxMailView {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly link?: string | undefined
  readonly code?: string | undefined
  readonly createdAt: Date
}

/** What was sent and refused: what was wrong with it, and the fields to show again. */
export interface FormState {
  readonly problem?: { readonly text: Text; readonly field?: string }
  readonly values: Readonly<Record<string, string>>
}

/** The form posts `identifier` and what its `parts` ask for to `action`; each of `forms` is a form of its own. */
export interface SignInModel {
  readonly path: string
  readonly action: string
  readonly client: ClientView
  readonly identifier: string
  readonly parts: readonly View[]
  readonly forms: readonly View[]
  /** Whether "keep me signed in" is ticked. */
  readonly keep: boolean
  readonly error?: Text
  /** Where the cancel button posts; without it there is no such button. */
  readonly abortAction?: string
  /** Where an account can be made; without it nobody can. */
  readonly registerPath?: string
}

/** Another way to do the same: a link, or a button that posts. */
export interface WayModel {
  readonly label: Text
  readonly hint?: Text
  readonly url?: string
  readonly action?: string
}

/** One factor asked for: who it is about, what its `part` asks, the other ways. */
export interface ProveModel {
  /** The person is known and proves it again. */
  readonly confirms: boolean
  /** Nobody is known yet: what was begun on the first page goes on here. */
  readonly begins?: boolean
  readonly action: string
  readonly client: ClientView
  readonly account: AccountView | undefined
  readonly part: View | undefined
  readonly ways: readonly WayModel[]
  /** Where the factor is started, where it has to be. */
  readonly again: string | undefined
  /** "Don't ask again on this device" is offered. */
  readonly mayTrust: boolean
  readonly error?: Text
  readonly abortAction?: string
  readonly switchAction: string
}

/** A way to sign in that is to be added: a choice of `ways`, or the `part` that adds one. */
export interface EnrolModel {
  readonly action: string
  readonly client: ClientView
  readonly title: Text | undefined
  readonly part: View | undefined
  readonly ways: readonly WayModel[]
  readonly because: Text
  readonly laterAction?: string
  readonly laterUntil?: Date | undefined
  readonly abortAction: string | undefined
  readonly error?: Text
}

export interface InterludeModel {
  readonly action: string
  readonly client: ClientView
  readonly part: View
  readonly error?: Text
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

/** What stands around every page of a person's account. */
export interface AccountFrame {
  readonly person: AccountView & { readonly administrator: boolean; readonly picture?: string }
  readonly current: string
  readonly pages: readonly { readonly name: string; readonly title: Text; readonly url: string }[]
  /** The page to which a part belongs. */
  readonly back: string
  /** Posted to without fields of its own. */
  readonly signOutAction: string
  readonly sampleUrl?: string
  /** What has just happened. */
  readonly notice?: Text
}

/** One page: its parts one below the other, each with `base`, `errors` and `values` in its model. */
export interface AccountPageModel {
  readonly frame: AccountFrame
  readonly parts: readonly View[]
  readonly failed?: boolean
}

/** A page of its own below one. */
export interface AccountPartModel {
  readonly frame: AccountFrame
  readonly title: Text
  readonly part: View
  readonly failed?: boolean
}

/** A mailed link: the form posts `token` and what its part asks for to `action`; without an action nothing is posted. */
export interface LinkModel {
  readonly title: Text
  readonly part: View
  readonly token: string
  readonly action?: string
  readonly failed?: boolean
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
