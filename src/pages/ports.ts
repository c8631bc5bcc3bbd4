import type { Context } from 'koa'
import type { Attempt, Factor, Interlude, MailedLink, Panel, Proof } from '../features/feature.ts'
import type { Clock } from '../kernel/clock.ts'
import type { DetailTypeView } from '../kernel/detail-words.ts'
import type { Browser, RequestFacts } from '../kernel/http.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Level } from '../kernel/levels.ts'
import type { Interactions, RememberedConsent, SignedIn, SignInRequest } from '../provider/index.ts'
import type { AccountView, ClientView, InboxMailView, RegistrationFormView } from './models.ts'
import type { Views } from './views.ts'

/** What the hosted pages need of the rest of the house. `page-ports.ts` meets it. */
export interface PagePorts {
  readonly issuer: URL
  readonly views: Views
  readonly clock: Clock
  /** 32 bytes; the key of the form tokens. */
  readonly csrfKey: Buffer
  readonly interactions: Interactions
  readonly signIn: SignInDoors
  readonly people: People
  readonly clients: { view(clientId: string): Promise<ClientView | undefined> }
  readonly apis: { view(indicator: string): Promise<ApiView | undefined> }
  /** Types of authorization details (RFC 9396). */
  readonly detailTypes: { view(type: string): Promise<DetailTypeView | undefined> }
  readonly consents: {
    find(userId: string, clientId: string): Promise<RememberedConsent | undefined>
    remember(
      owner: { readonly userId: string; readonly clientId: string },
      consent: RememberedConsent,
      request: RequestFacts,
    ): Promise<void>
  }
  readonly factors: readonly Factor[]
  readonly interludes: readonly Interlude[]
  readonly account: AccountParts
  readonly links: readonly MailedLink[]
  readonly pictures: Pictures
  /** The mails of development mode. */
  readonly inbox: Inbox | undefined
  readonly attempts: Attempts
  readonly policy: SignInPolicy
  readonly trustedDevices: TrustedDevices
  /** Whether people can make accounts by themselves. */
  readonly registration: Registration
  readonly setup: Setup
  readonly passwords: PasswordLinks
  /** What a browser or another program is, by what it calls itself. */
  readonly describeBrowser: (userAgent: string) => Promise<Browser>
  /** What one person is likely to have of an address, as the whole of his network. */
  readonly networkOf: (address: string) => string
  readonly record: (event: PageEvent) => Promise<void>
  /** The sample application of development mode. */
  readonly sampleUrl: string | undefined
  readonly refreshLifetimeSeconds: (clientId: string) => Promise<number>
}

/** What stands on the pages of a person's account. */
export interface AccountParts {
  readonly panels: readonly Panel[]
  /** 32 bytes, for what the browser keeps for these pages. */
  readonly key: Buffer
  /** How long a proof counts before a change of credentials. */
  readonly reauthenticationSeconds: number
  /** The address of the person's picture. */
  picture(userId: UserId): Promise<string | undefined>
}

export interface Inbox {
  /** The newest first. */
  list(): Promise<readonly InboxMailView[]>
  find(id: string): Promise<InboxMailView | undefined>
}

export interface Pictures {
  /** What was made of an uploaded picture, in the size asked for; `undefined` for an unknown identifier. */
  find(
    id: string,
    size: 'full' | 'small',
  ): Promise<{ readonly type: string; readonly body: Buffer } | undefined>
}

export interface StoredAttempt {
  readonly userId: UserId | undefined
  readonly proofs: readonly Proof[]
  readonly passed: readonly string[]
}

/** What the server remembers of a sign-in under way. */
export interface Attempts {
  find(id: string): Promise<StoredAttempt>
  add(
    id: string,
    proof: Proof,
    upon?: { readonly userId: UserId | undefined; readonly sessionUid: string | undefined },
  ): Promise<StoredAttempt>
  pass(id: string, mark: string): Promise<StoredAttempt>
  settle(id: string, userId: UserId): Promise<boolean>
}

export interface SignInDemands {
  readonly strict: Level
  readonly standing: Level
  readonly reasons: readonly { readonly rule: string; readonly level: Level }[]
}

/** What must be proven, and why. */
export interface SignInPolicy {
  demands(
    userId: string | undefined,
    clientId: string | undefined,
    requested: readonly Level[],
  ): Promise<SignInDemands>
  /** Until when the person may put off what the server demands. */
  graceUntil(userId: string): Promise<Date | undefined>
  describe(demands: SignInDemands): readonly string[]
}

/** Browsers in which a person is not asked for a second step. */
export interface TrustedDevices {
  readonly offered: boolean
  isTrusted(userId: UserId, device: string): Promise<boolean>
  /** Answers with the browser's new identifier, which takes the place of the one in its cookie. */
  remember(trusting: {
    readonly userId: UserId
    readonly attempt: string
    readonly sessionUid: string | undefined
    readonly device: string
    readonly request: RequestFacts
  }): Promise<string>
}

export interface SignInDoors {
  signedIn(ctx: Context): Promise<SignedIn | undefined>
  signOut(ctx: Context): Promise<void>
  signInPath(request?: SignInRequest): string
}

export interface Person extends AccountView {
  readonly administrator: boolean
  /** The language that he chose. */
  readonly locale?: string
}

export interface People {
  /** `undefined` for a person who does not exist or may not be served. */
  view(userId: string): Promise<Person | undefined>
}

export interface ApiView {
  readonly name: string
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
}

export interface Setup {
  isNeeded(): Promise<boolean>
  linkState(token: string): Promise<'valid' | 'missing' | 'expired' | 'used'>
  /** Throws `setup.link_missing`, `setup.link_expired`, `setup.link_used`, `setup.done` and what the fields are wrong in. */
  complete(form: SetupForm, request: RequestFacts): Promise<void>
}

export interface SetupForm {
  readonly token: string
  readonly name?: string
  readonly email: string
  readonly username?: string
  readonly password: string
}

export interface PasswordLinks {
  readonly minimumLength: number
  /** The person whom a one-time link is for; `undefined` when it has expired or was used. */
  readLink(token: string): Promise<AccountView | undefined>
  chooseByLink(token: string, password: string, request: RequestFacts): Promise<void>
  readonly resetsByMail: boolean
  /** Does the same for every account, known or not. */
  requestReset(request: {
    readonly identifier: string
    readonly request: RequestFacts
    readonly locale: string
  }): Promise<void>
}

/** The making of an account by its owner. */
export interface Registration {
  readonly mode: 'closed' | 'invitation' | 'open'
  /** Whether everybody may make one. */
  isOpen(): boolean
  isInvited(invitation: string): Promise<boolean>
  form(invitation: string | undefined): Promise<RegistrationFormView>
  /** The proof where no code is needed. */
  begin(
    attempt: Attempt,
    input: { readonly form: Readonly<Record<string, string>>; readonly invitation?: string },
  ): Promise<Proof | undefined>
  awaited(attempt: Attempt): Promise<{ readonly email: string; readonly code?: string } | undefined>
  again(attempt: Attempt): Promise<void>
  finish(attempt: Attempt, code: string): Promise<Proof>
}

export interface PageEvent {
  readonly action:
    | 'login.signed_in'
    | 'login.refused'
    | 'login.cancelled'
    | 'login.signed_out'
    | 'consents.denied'
  readonly outcome: 'success' | 'failure'
  readonly userId?: UserId | string
  readonly clientId?: string
  readonly request: RequestFacts
  readonly detail?: Readonly<Record<string, string | readonly string[]>>
}
