import type { ClientId } from '../../kernel/ids.ts'
import { hashSecret, newId, newSecret } from '../../kernel/ids.ts'
import { accept, type Input, parseCreate } from '../../kernel/input.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import { keptFor } from './administered.ts'
import type { AdministrationDependencies } from './administration.ts'
import type { Client, ClientDraft, Origin } from './client.ts'
import { checkDraft, draftOf } from './clients.ts'
import { clientsDefinition } from './definition.ts'
import { usesSecret } from './kinds.ts'
import { losesRights } from './losses.ts'
import { freezeClient, type StoredClient } from './rows.ts'
import { changedMeanwhile, proveSector, sectorOf } from './sector.ts'

export interface Registered {
  readonly client: StoredClient
  /** Shown this once. */
  readonly secret?: string | undefined
}

export interface NewRegistration {
  readonly id?: string
  readonly origin: Exclude<Origin, 'administrator'>
  /** Gets nothing until an administrator enables it. */
  readonly disabled?: boolean
  /** In the same transaction; what it throws undoes the registration. */
  also(db: DatabaseTransaction, id: ClientId): Promise<void>
}

/** Where a client comes from, and what is stored of it. */
export interface Standing {
  readonly origin: NewRegistration['origin']
  readonly stored?: Client | StoredClient | undefined
}

/** Clients that no administrator makes, written through the same checks as every other and never first-party. */
export interface Registering {
  /** Whether a client has such a field that whoever makes it may write. */
  knows(field: string): boolean
  /** The draft that would be stored. Throws `input.invalid` and `clients.inconsistent` (400). */
  draft(input: Input): ClientDraft
  /**
   * As the protocol sees a draft, with what its profile demands and administrators have set of what is stored. Throws
   * `clients.inconsistent` (400) where these do not fit together.
   */
  client(id: string, draft: ClientDraft, standing: Standing): Client
  read(id: string): Promise<StoredClient | undefined>
  create(draft: ClientDraft, registration: NewRegistration): Promise<Registered>
  /**
   * What administrators have set stays. `undefined` where there is no such client any more. Throws
   * `clients.inconsistent` (400) and `clients.changed_meanwhile` (409).
   */
  replace(
    id: string,
    draft: ClientDraft,
    change: { readonly disabled?: boolean; also(db: DatabaseTransaction): Promise<void> },
  ): Promise<StoredClient | undefined>
  remove(id: string, also: (db: DatabaseTransaction) => Promise<void>): Promise<void>
}

export function openRegistering(dependencies: AdministrationDependencies): Registering {
  const { store, clock, serverChecks, endEverythingOfClient } = dependencies
  const fields: Readonly<Record<string, { readonly writable: string }>> = clientsDefinition.resource.fields
  return {
    knows: (field) => Object.hasOwn(fields, field) && fields[field]?.writable !== 'never',

    draft(input) {
      const draft = draftOf(
        accept(parseCreate(clientsDefinition.resource.fields, { ...input, firstParty: false })),
      )
      checkDraft(draft, serverChecks)
      return draft
    },

    client(id, draft, { origin, stored }) {
      const next = stored === undefined ? draft : keptFor(stored, draft)
      if (stored?.administered !== undefined) checkDraft(next, serverChecks)
      return freezeClient({
        ...next,
        id: id as ClientId,
        origin,
        disabledAt: stored?.disabledAt,
        secrets: [],
        createdAt: clock.now(),
        updatedAt: clock.now(),
      })
    },

    read: (id) => store.read(id),

    ...writing(dependencies),

    remove: (id, also) =>
      store.change(id, async (db) => {
        const client = await store.lock(db, id, clock.now())
        if (client === undefined) return
        await also(db)
        await endEverythingOfClient(db, client.id)
        await store.remove(db, client)
      }),
  }
}

const writing = ({
  store,
  clock,
  fetch,
  serverChecks,
  endEverythingOfClient,
}: AdministrationDependencies): Pick<Registering, 'create' | 'replace'> => ({
  async create(draft, { id = newId(), origin, disabled, also }) {
    await proveSector(fetch, draft)
    const at = clock.now()
    return await store.create(async (db) => {
      await store.insert(db, id, { draft, at, origin })
      const secret = usesSecret(draft.authentication) ? newSecret() : undefined
      if (secret !== undefined) await store.insertSecret(db, id, storedSecret(secret, at))
      const client = (await store.read(id, db)) as StoredClient
      if (disabled) await store.setDisabled(db, client, at)
      await also(db, client.id)
      return { client: disabled ? { ...client, disabledAt: at } : client, secret }
    })
  },

  async replace(id, draft, { disabled, also }) {
    const read = await store.read(id)
    // Asked before anything is locked, as another server may take its time.
    const proven = read && (await proveSector(fetch, keptFor(read, draft), read))
    return await store.change(id, async (db) => {
      const client = await store.lock(db, id, clock.now())
      if (client === undefined) return undefined
      await also(db)
      const next = keptFor(client, draft)
      checkDraft(next, serverChecks)
      if (sectorOf(next) !== proven && sectorOf(next) !== sectorOf(client)) throw changedMeanwhile()
      await store.update(db, client, next)
      const disabledAt = disabled ? (client.disabledAt ?? clock.now()) : client.disabledAt
      if (disabled) await store.setDisabled(db, client, disabledAt ?? null)
      if (disabled || losesRights(client, next)) await endEverythingOfClient(db, client.id)
      const { id: clientId, origin, secrets, createdAt, updatedAt } = client
      return { ...next, id: clientId, origin, secrets, createdAt, updatedAt, disabledAt }
    })
  },
})

const storedSecret = (secret: string, createdAt: Date) => ({
  id: newId(),
  label: undefined,
  hash: hashSecret(secret),
  createdAt,
  expiresAt: undefined,
})
