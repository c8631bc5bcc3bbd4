import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import { hashSecret, isSecret, newSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Client, Registered, Registering } from '../clients/index.ts'
import { draftFrom, inProtocolWords } from './draft.ts'
import type { Metadata } from './metadata.ts'
import { metadataOf, own } from './metadata.ts'
import { type Policy, policySchema } from './policy.ts'
import type { RegistrationStore, StoredToken } from './store.ts'

/** What one request brings beside its metadata. */
export interface Arrival {
  /** The bearer token of the request. */
  readonly token: string | undefined
  readonly facts: RequestFacts
  /** Throws what the protocol says of a client that it would not accept. */
  accepts(client: Client): void
  /** The claims of a software statement of one of these issuers. Throws where it is not believed. */
  statement(jwt: string, issuers: readonly string[]): Promise<Metadata>
}

/** RFC 7591 §3.2.1; `token` manages the client from now on. */
export interface RegistrationAnswer {
  readonly clientId: string
  readonly metadata: Metadata
  readonly token: string
}

export interface ClientRegistrations {
  /** Throws `client-registrations.closed` (403), `.invalid_token` (401), `.too_many` (429), `.full` (503) and those of metadata (400). */
  register(metadata: Metadata, arrival: Arrival): Promise<RegistrationAnswer>
  /** RFC 7592 §2.1. Throws `client-registrations.invalid_token` (401). */
  read(clientId: string, arrival: Arrival): Promise<RegistrationAnswer>
  /**
   * RFC 7592 §2.2: replaces everything but what administrators have set, and the token with it. Throws
   * `client-registrations.invalid_token` (401), `.too_many` (429) and those of metadata (400).
   */
  update(clientId: string, metadata: Metadata, arrival: Arrival): Promise<RegistrationAnswer>
  /** RFC 7592 §2.3. */
  remove(clientId: string, arrival: Arrival): Promise<void>
}

export interface RegistrationDependencies {
  readonly store: RegistrationStore
  readonly registering: Registering
  readonly clock: Clock
  readonly audit: Audit
  readonly settings: {
    readonly mode: 'closed' | 'token' | 'open'
    readonly policy: Policy
    readonly maximum: number
  }
  /** Count against the sender; throw when there were too many. */
  readonly admit: (facts: RequestFacts) => Promise<void>
  readonly admitUpdate: (facts: RequestFacts) => Promise<void>
}

export const openClientRegistrations = (dependencies: RegistrationDependencies): ClientRegistrations => ({
  ...entering(dependencies),
  ...looking(dependencies),
  ...updating(dependencies),
})

function entering(dependencies: RegistrationDependencies): Pick<ClientRegistrations, 'register'> {
  const { store, registering, clock, audit, settings } = dependencies
  return {
    async register(metadata, arrival) {
      const entry = await admission(dependencies, arrival.token)
      await dependencies.admit(arrival.facts)
      const { draft, statementIssuer } = await draftFrom(metadata, {
        ...entry,
        registering,
        statement: arrival.statement,
      })
      arrival.accepts(registering.client('probe', draft, { origin: 'registration' }))
      const token = newSecret()
      const { policy } = entry
      const admittedBy = statementIssuer ?? entry.token?.id
      const registered = await registering.create(draft, {
        origin: 'registration',
        disabled: policy.approval,
        async also(db, clientId) {
          await takeUse(dependencies, db, entry.token)
          if ((await store.countRegistrations(db)) >= settings.maximum) throw full()
          await store.insertRegistration(db, {
            clientId,
            tokenHash: hashSecret(token),
            policy: JSON.stringify(policy),
            admittedBy,
            createdAt: clock.now(),
          })
          await record(audit, db, { event: 'registered', clientId, request: arrival.facts, admittedBy })
        },
      })
      return answerOf(registered, token)
    },
  }
}

function looking(dependencies: RegistrationDependencies): Pick<ClientRegistrations, 'read' | 'remove'> {
  const { registering, audit } = dependencies
  return {
    async read(clientId, arrival) {
      const { token } = await managed(dependencies, clientId, arrival)
      const client = await registering.read(clientId)
      if (client === undefined) throw invalidToken()
      return answerOf({ client }, token)
    },

    async remove(clientId, arrival) {
      await managed(dependencies, clientId, arrival)
      await registering.remove(clientId, (db) =>
        record(audit, db, { event: 'removed', clientId, request: arrival.facts }),
      )
    },
  }
}

function updating(dependencies: RegistrationDependencies): Pick<ClientRegistrations, 'update'> {
  const { store, registering, audit } = dependencies
  return {
    async update(clientId, metadata, arrival) {
      const { token, policy } = await managed(dependencies, clientId, arrival)
      // Each may make this server call another one.
      await dependencies.admitUpdate(arrival.facts)
      const before = await registering.read(clientId)
      if (before === undefined) throw invalidToken()
      if (own(metadata, 'client_id') !== clientId)
        throw invalidMetadata(
          'client_id must be that of the client. Send the whole registration back, changed.',
        )
      if (own(metadata, 'client_secret') !== undefined)
        throw invalidMetadata('A secret cannot be set, and is not needed here. Leave client_secret out.')
      const { draft } = await draftFrom(metadata, { policy, registering, statement: arrival.statement })
      if (draft.kind !== before.kind || draft.authentication !== before.authentication)
        throw invalidMetadata(
          'How a client authenticates, and its kind, cannot change. Register anew instead.',
        )
      const standing = { origin: 'registration', stored: before } as const
      arrival.accepts(inProtocolWords(() => registering.client(clientId, draft, standing)))
      const next = newSecret()
      const client = await registering.replace(clientId, draft, {
        // What an administrator approved was not this.
        disabled: policy.approval,
        async also(db) {
          const change = { from: hashSecret(token), to: hashSecret(next) }
          if (!(await store.rotate(db, clientId, change))) throw invalidToken()
          await record(audit, db, { event: 'updated', clientId, request: arrival.facts })
        },
      })
      if (client === undefined) throw invalidToken()
      return answerOf({ client }, next)
    },
  }
}

/** The registration that the token of the request manages. */
async function managed(
  { store, settings }: RegistrationDependencies,
  clientId: string,
  { token }: Arrival,
): Promise<{ readonly token: string; readonly policy: Policy }> {
  const found =
    token !== undefined && isSecret(token) ? await store.findRegistration(hashSecret(token)) : undefined
  // RFC 7592 §2: a token of another client says nothing about this one, not even whether there is one.
  if (found === undefined || token === undefined || found.clientId !== clientId || settings.mode === 'closed')
    throw invalidToken()
  return { token, policy: policySchema.parse(JSON.parse(found.policy)) }
}

interface Entry {
  readonly policy: Policy
  readonly token?: StoredToken
}

/** Under which policy a registration is let in. */
async function admission(
  { store, clock, settings }: RegistrationDependencies,
  presented: string | undefined,
): Promise<Entry> {
  if (settings.mode === 'closed') throw closed()
  if (presented === undefined && settings.mode === 'open') return { policy: settings.policy }
  const token =
    presented !== undefined && isSecret(presented) ? await store.findToken(hashSecret(presented)) : undefined
  const stands = token !== undefined && token.expiresAt > clock.now() && token.usesLeft !== 0
  if (!stands) throw invalidToken()
  return { token, policy: policySchema.parse(JSON.parse(token.policy)) }
}

/** In the transaction that makes the client: of those who come at once with the last use, one gets it. */
async function takeUse(
  { store, clock }: RegistrationDependencies,
  db: DatabaseTransaction,
  token: StoredToken | undefined,
): Promise<void> {
  if (token !== undefined && !(await store.useToken(db, token, clock.now()))) throw invalidToken()
}

const answerOf = ({ client, secret }: Registered, token: string): RegistrationAnswer => ({
  clientId: client.id,
  token,
  metadata: {
    client_id: client.id,
    client_id_issued_at: Math.floor(client.createdAt.getTime() / 1000),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    ...metadataOf({ ...client }),
  },
})

interface Happening {
  readonly event: string
  readonly clientId: string
  readonly request: RequestFacts
  readonly admittedBy?: string | undefined
}

const record = (
  audit: Audit,
  db: DatabaseTransaction,
  { event, admittedBy, ...told }: Happening,
): Promise<void> =>
  audit.recordIn(db, {
    action: `client-registrations.${event}`,
    outcome: 'success',
    ...told,
    ...(admittedBy !== undefined && { detail: { admittedBy } }),
  })

const invalidMetadata = (text: string): AppError =>
  new AppError('client-registrations.invalid_client_metadata', 400, text)
const invalidToken = (): AppError =>
  new AppError(
    'client-registrations.invalid_token',
    401,
    'The token is not valid here. Ask an administrator for one.',
  )
const closed = (): AppError =>
  new AppError(
    'client-registrations.closed',
    403,
    'Clients cannot register themselves here. Ask an administrator.',
  )
const full = (): AppError =>
  new AppError(
    'client-registrations.full',
    503,
    'No more clients can register themselves. Ask an administrator.',
  )
