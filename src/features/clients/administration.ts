import { after, type Clock } from '../../kernel/clock.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import type { Actor } from '../../kernel/http.ts'
import { type ClientId, hashSecret, newId, newSecret } from '../../kernel/ids.ts'
import type { Input } from '../../kernel/input.ts'
import { type Action, bindActions, type Outcome, type Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import { administeredWith } from './administered.ts'
import { changesOf, checkDraft, draftOf, missingSecretNotice } from './clients.ts'
import { checkDefaultResource, type FindApi } from './default-resource.ts'
import { clientActions, clientsDefinition } from './definition.ts'
import { type ClientItem, itemOf } from './item.ts'
import { usesSecret } from './kinds.ts'
import { losesRights } from './losses.ts'
import type { Check } from './protocol/check.ts'
import type { StoredClient } from './rows.ts'
import { changedMeanwhile, type GuardedFetch, proveSector, sectorOf } from './sector.ts'
import type { ClientStore } from './store.ts'

const maximumSecrets = 10
const secondsPerDay = 86_400

export interface AdministrationDependencies {
  readonly store: ClientStore
  readonly clock: Clock
  readonly audit: Audit
  /** Ends tokens, grants and sessions' authorizations of a client, in the transaction that takes its rights away. */
  readonly endEverythingOfClient: (db: DatabaseTransaction, clientId: ClientId) => Promise<void>
  /** Asks the sector of a client with pairwise subjects. */
  readonly fetch: GuardedFetch
  /** The APIs that a client may name. */
  readonly findApi: FindApi
  /** What the server's own settings allow a client. */
  readonly serverChecks: readonly Check[]
}

/** A change of one client that nobody else changes meanwhile. */
interface Change {
  readonly db: DatabaseTransaction
  readonly client: StoredClient
}

interface Told {
  readonly reveals?: Outcome<ClientItem>['reveals']
  readonly detail?: Readonly<Record<string, string | readonly string[]>>
}

interface Subject {
  readonly item: ClientItem
  readonly actor: Actor
  /** The last part of the audit event's name. */
  readonly event: string
}

export function administerClients(dependencies: AdministrationDependencies): Resource<ClientItem> {
  const { store, clock } = dependencies
  const change = openChange(dependencies)
  return {
    ...clientsDefinition.resource,
    actions: bindActions(clientActions, openActions(dependencies, change)),

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(itemOf) }
    },

    async find(key) {
      const stored = await store.read(key)
      return stored && itemOf(stored)
    },

    create: (input, actor) => create(dependencies, input, actor),

    async update(item, input, actor) {
      // Asked before anything is locked, as another server may take its time.
      const read = await store.read(item.id)
      const changed = read && { ...read, ...changesOf(input) }
      const proven = changed && (await proveSector(dependencies.fetch, changed, read))
      if (changed !== undefined) await checkDefaultResource(dependencies.findApi, changed, read)
      return await change({ item, actor, event: 'updated' }, async ({ db, client }) => {
        const fields = Object.keys(input)
        const administered = administeredWith(client, fields)
        const draft = { ...client, ...changesOf(input), administered }
        checkDraft(draft, dependencies.serverChecks)
        if (sectorOf(draft) !== proven && sectorOf(draft) !== sectorOf(client)) throw changedMeanwhile()
        await store.update(db, client, draft)
        // A secret that no longer opens anything is not kept for the day it might again.
        if (!usesSecret(draft.authentication)) await store.removeSecrets(db, client.id)
        if (losesRights(client, draft)) await dependencies.endEverythingOfClient(db, client.id)
        return { detail: { fields } }
      })
    },

    async delete(item, actor) {
      await store.change(item.id, async (db) => {
        const client = await store.lock(db, item.id, clock.now())
        if (client === undefined) throw unknownClient(item.id)
        await dependencies.endEverythingOfClient(db, item.id)
        await store.remove(db, client)
        await record(dependencies.audit, db, { item, actor, event: 'deleted' })
      })
    },
  }
}

async function create(
  { store, clock, audit, serverChecks, fetch, findApi }: AdministrationDependencies,
  input: Input,
  actor: Actor,
): Promise<Outcome<ClientItem>> {
  const { id = newId(), ...fields } = input as Input & { readonly id?: string }
  const draft = draftOf(fields)
  checkDraft(draft, serverChecks)
  await proveSector(fetch, draft)
  await checkDefaultResource(findApi, draft)
  const at = clock.now()
  return await store.create(async (db) => {
    await store.insert(db, id, { draft, at })
    const secret = usesSecret(draft.authentication) ? newSecret() : undefined
    if (secret !== undefined) await store.insertSecret(db, id, storedSecret(secret, at))
    const item = itemOf(await get(store, db, id))
    await record(audit, db, { item, actor, event: 'created' })
    return secret === undefined ? { item } : { item, reveals: { secret } }
  })
}

type Changer = (subject: Subject, work: (change: Change) => Promise<Told>) => Promise<Outcome<ClientItem>>

const openChange =
  ({ store, clock, audit }: AdministrationDependencies): Changer =>
  (subject, work) =>
    store.change(subject.item.id, async (db) => {
      const client = await store.lock(db, subject.item.id, clock.now())
      if (client === undefined) throw unknownClient(subject.item.id)
      const { reveals, detail } = await work({ db, client })
      await record(audit, db, { ...subject, detail })
      const changed = await get(store, db, client.id)
      const notice = missingSecretNotice(changed)
      return { item: itemOf(changed), ...(reveals && { reveals }), ...(notice && { notice }) }
    })

type ActionName = (typeof clientActions)[number]['name']

function openActions(
  { store, clock, endEverythingOfClient }: AdministrationDependencies,
  change: Changer,
): Readonly<Record<ActionName, Action<ClientItem>['run']>> {
  return {
    disable: (item, _input, actor) =>
      change({ item, actor, event: 'disabled' }, async ({ db, client }) => {
        await store.setDisabled(db, client, client.disabledAt ?? clock.now())
        await endEverythingOfClient(db, client.id)
        return {}
      }),

    enable: (item, _input, actor) =>
      change({ item, actor, event: 'enabled' }, async ({ db, client }) => {
        await store.setDisabled(db, client, null)
        return {}
      }),

    'add-secret': (item, input, actor) =>
      change({ item, actor, event: 'secret_added' }, async ({ db, client }) => {
        refuseSecret(client)
        const { label, expiresInDays } = input as { label?: string; expiresInDays?: number }
        const secret = newSecret()
        const now = clock.now()
        const expiresAt = expiresInDays === undefined ? undefined : after(now, expiresInDays * secondsPerDay)
        const stored = { ...storedSecret(secret, now), label, expiresAt }
        await store.insertSecret(db, client.id, stored)
        return { reveals: { secret }, detail: { secretId: stored.id } }
      }),

    'remove-secret': (item, input, actor) =>
      change({ item, actor, event: 'secret_removed' }, async ({ db, client }) => {
        const secretId = String(input.secretId)
        if (await store.removeSecret(db, client.id, secretId)) return { detail: { secretId } }
        throw notFound(
          'clients.unknown_secret',
          `The client has no secret ${secretId}. Show the client to see those it has.`,
        )
      }),
  }
}

function refuseSecret({ authentication, secrets }: StoredClient): void {
  if (!usesSecret(authentication)) {
    const message = `A client that authenticates by ${authentication} uses no secret. Change its authentication first.`
    throw new AppError('clients.uses_no_secret', 409, message)
  }
  if (secrets.length >= maximumSecrets) {
    const message = `A client has at most ${maximumSecrets} secrets. Remove one that is no longer in use.`
    throw new AppError('clients.too_many_secrets', 409, message)
  }
}

const storedSecret = (secret: string, createdAt: Date) => ({
  id: newId(),
  label: undefined,
  hash: hashSecret(secret),
  createdAt,
  expiresAt: undefined,
})

async function get(store: ClientStore, db: DatabaseTransaction, id: string): Promise<StoredClient> {
  const stored = await store.read(id, db)
  if (stored === undefined) throw unknownClient(id)
  return stored
}

const unknownClient = (id: string): AppError =>
  notFound('clients.unknown', `There is no client ${id} any more. List the clients to see those there are.`)

const record = (
  audit: Audit,
  db: DatabaseTransaction,
  { item, actor, event, detail }: Subject & Pick<Told, 'detail'>,
): Promise<void> =>
  audit.recordIn(db, {
    action: `clients.${event}`,
    outcome: 'success',
    actor,
    clientId: item.id,
    ...(detail && { detail }),
  })
