import type { Clock } from '../../kernel/clock.ts'
import { type AppError, invalidInput, notFound } from '../../kernel/errors.ts'
import type { Actor } from '../../kernel/http.ts'
import { newId } from '../../kernel/ids.ts'
import type { Input } from '../../kernel/input.ts'
import { type Action, bindActions, type Outcome, type Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import { trustedIssuerActions, trustedIssuersDefinition } from './definition.ts'
import type { TrustedIssuerStore } from './store.ts'
import {
  itemOf,
  type StoredIssuer,
  type TrustedIssuerDraft,
  type TrustedIssuerItem,
} from './trusted-issuers.ts'

export interface AdministrationDependencies {
  readonly store: TrustedIssuerStore
  readonly clock: Clock
  readonly audit: Audit
  /** This server's own issuer identifier. */
  readonly issuer: string
}

interface Subject {
  readonly item: TrustedIssuerItem
  readonly actor: Actor
  /** The last part of the audit event's name. */
  readonly event: string
}

type Work = (db: DatabaseTransaction, stored: StoredIssuer) => Promise<void>

export function administerTrustedIssuers(
  dependencies: AdministrationDependencies,
): Resource<TrustedIssuerItem> {
  const { store, clock, audit } = dependencies
  const change = openChange(dependencies)
  return {
    ...trustedIssuersDefinition.resource,
    actions: bindActions(trustedIssuerActions, openActions(dependencies, change)),

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(itemOf) }
    },

    async find(key) {
      const stored = await store.read(key)
      return stored && itemOf(stored)
    },

    create: (input, actor) => create(dependencies, draftOf(input) as TrustedIssuerDraft, actor),

    update: (item, input, actor) =>
      change({ item, actor, event: 'updated' }, (db, stored) => {
        const draft = { ...stored, ...draftOf(input) }
        check(draft)
        return store.update(db, stored, draft)
      }),

    async delete(item, actor) {
      await store.change(async (db) => {
        if ((await store.lock(db, item.id, clock.now())) === undefined) throw unknownIssuer(item.id)
        await store.remove(db, item.id)
        await record(audit, db, { item, actor, event: 'deleted' })
      })
    },
  }
}

/** Parsed fields; `null` takes a value away. */
const draftOf = (input: Input): Partial<TrustedIssuerDraft> =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value ?? undefined]))

/** Throws `trusted_issuers.inconsistent`. */
function check({ jwks, jwksUri }: TrustedIssuerDraft): void {
  if (jwks !== undefined && jwksUri !== undefined)
    throw invalidInput('trusted_issuers.inconsistent', 'Give either jwks or jwksUri, not both.')
}

async function create(
  { store, clock, audit, issuer }: AdministrationDependencies,
  draft: TrustedIssuerDraft,
  actor: Actor,
): Promise<Outcome<TrustedIssuerItem>> {
  check(draft)
  if (draft.issuer === issuer) {
    const message = 'This is the server itself, whose tokens are known without being trusted here.'
    throw invalidInput('trusted_issuers.own', message)
  }
  const id = newId()
  return await store.change(async (db) => {
    await store.insert(db, id, { draft, at: clock.now() })
    const item = itemOf(await get(store, db, id))
    await record(audit, db, { item, actor, event: 'created' })
    return { item }
  })
}

type Changer = (subject: Subject, work: Work) => Promise<Outcome<TrustedIssuerItem>>

/** Changes one that nobody else changes meanwhile. */
const openChange =
  ({ store, clock, audit }: AdministrationDependencies): Changer =>
  (subject, work) =>
    store.change(async (db) => {
      const { id } = subject.item
      const stored = await store.lock(db, id, clock.now())
      if (stored === undefined) throw unknownIssuer(id)
      await work(db, stored)
      await record(audit, db, subject)
      return { item: itemOf(await get(store, db, id)) }
    })

type ActionName = (typeof trustedIssuerActions)[number]['name']

const openActions = (
  { store, clock }: AdministrationDependencies,
  change: Changer,
): Readonly<Record<ActionName, Action<TrustedIssuerItem>['run']>> => ({
  disable: (item, _input, actor) =>
    change({ item, actor, event: 'disabled' }, (db, stored) =>
      store.setDisabled(db, stored, stored.disabledAt ?? clock.now()),
    ),
  enable: (item, _input, actor) =>
    change({ item, actor, event: 'enabled' }, (db, stored) => store.setDisabled(db, stored, null)),
})

async function get(store: TrustedIssuerStore, db: DatabaseTransaction, id: string): Promise<StoredIssuer> {
  const stored = await store.read(id, db)
  if (stored === undefined) throw unknownIssuer(id)
  return stored
}

const record = (audit: Audit, db: DatabaseTransaction, { item, actor, event }: Subject): Promise<void> =>
  audit.recordIn(db, {
    action: `trusted-issuers.${event}`,
    outcome: 'success',
    actor,
    detail: { id: item.id, issuer: item.issuer },
  })

const unknownIssuer = (id: string): AppError =>
  notFound(
    'trusted_issuers.unknown',
    `There is no trusted issuer ${id} any more. List the trusted issuers to see those there are.`,
  )
