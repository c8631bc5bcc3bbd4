import type { Context } from 'koa'
import type { Factor } from '../features/feature.ts'
import type { Clock } from '../kernel/clock.ts'
import type { RequestFacts } from '../kernel/http.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Interactions, RememberedConsent, SignedIn } from '../provider/index.ts'
import type { AccountView, ClientView } from './models.ts'
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
  readonly consents: {
    find(userId: string, clientId: string): Promise<RememberedConsent | undefined>
    remember(
      owner: { readonly userId: string; readonly clientId: string },
      consent: RememberedConsent,
      request: RequestFacts,
    ): Promise<void>
  }
  readonly factors: readonly Factor[]
  readonly setup: Setup
  readonly passwords: PasswordLinks
  readonly record: (event: PageEvent) => Promise<void>
  /** The sample application of development mode. */
  readonly sampleUrl: string | undefined
  readonly refreshLifetimeSeconds: number
}

export interface SignInDoors {
  signedIn(ctx: Context): Promise<SignedIn | undefined>
  signOut(ctx: Context): Promise<void>
  signInPath(options?: { readonly loginHint?: string }): string
}

export interface People {
  /** `undefined` for a person who does not exist or may not be served. */
  view(userId: string): Promise<(AccountView & { readonly administrator: boolean }) | undefined>
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
