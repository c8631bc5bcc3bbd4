/**
 * Owns clients that no administrator makes: tokens and policies for registering, registration access tokens, documents.
 * Does not own the clients themselves, which `clients` checks and writes, nor the endpoint, which is the provider's.
 */
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { Log } from '../../kernel/log.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Registering } from '../clients/index.ts'
import type { Feature } from '../feature.ts'
import { type ClientRegistrations, openClientRegistrations } from './client-registrations.ts'
import { registrationCommands } from './commands.ts'
import { type DocumentClients, type DocumentDependencies, openDocumentClients } from './documents.ts'
import type { settings } from './settings.ts'
import { openRegistrationStore } from './store.ts'
import { type InitialAccessTokens, openInitialAccessTokens } from './tokens.ts'

export type { Arrival, ClientRegistrations, RegistrationAnswer } from './client-registrations.ts'
export { clientRegistrationsDefinition } from './commands.ts'
export type { DocumentClients } from './documents.ts'

export interface ClientRegistrationDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly audit: Audit
  readonly issuer: string
  readonly registering: Registering
  readonly fetch: DocumentDependencies['fetch']
  /** What of an address one sender is likely to have. */
  readonly keyOf: (address: string) => string
  readonly settings: SettingValues<typeof settings>
}

export interface ClientRegistrationsFeature extends Feature {
  readonly registrations: ClientRegistrations
  /** Clients that a document describes. */
  readonly described: DocumentClients
  readonly tokens: InitialAccessTokens
  /** What of it is on. */
  readonly offers: { readonly registration: boolean; readonly documents: boolean }
}

export function openClientRegistrationsFeature(
  dependencies: ClientRegistrationDependencies,
): ClientRegistrationsFeature {
  const { storage, clock, settings } = dependencies
  const store = openRegistrationStore(storage)
  const tokens = openInitialAccessTokens({ ...dependencies, store })
  const limited = { ...dependencies, perHour: settings.perHour }
  return {
    name: 'client-registrations',
    offers: { registration: settings.mode !== 'closed', documents: settings.documents !== 'off' },
    registrations: openClientRegistrations({
      ...dependencies,
      store,
      admit: limit('Too many clients were registered from this address. Try again later.', limited),
      admitUpdate: limit('Too many clients were updated from this address. Try again later.', limited),
    }),
    described: openDocumentClients(dependencies),
    tokens,
    commands: registrationCommands(tokens, settings.policy),
    jobs: [
      {
        name: 'client-registrations.remove_expired_tokens',
        everySeconds: 3_600,
        async run() {
          await store.removeExpired(clock.now())
          return { more: false }
        },
      },
    ],
  }
}

/** Counts in this process what comes of one sender in an hour; throws with `text` what is too much. */
function limit(
  text: string,
  { perHour, keyOf }: Pick<ClientRegistrationDependencies, 'keyOf'> & { readonly perHour: number },
): (facts: RequestFacts) => Promise<void> {
  const limiter = new RateLimiterMemory({ points: perHour, duration: 3_600 })
  return async ({ address }) => {
    try {
      await limiter.consume(keyOf(address))
    } catch (refused) {
      if (refused instanceof Error) throw refused
      const { msBeforeNext } = refused as { msBeforeNext: number }
      throw new AppError('client-registrations.too_many', 429, text, {
        retryAfterSeconds: Math.ceil(msBeforeNext / 1000),
      })
    }
  }
}
