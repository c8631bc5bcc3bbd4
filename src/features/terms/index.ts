/**
 * Owns the terms of use: which version is in force, who accepted which, and the question in the middle of a sign-in.
 * Does not own the form on which an account is made (`registrations`), which asks for them, too.
 */
import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature, Interlude } from '../feature.ts'
import type { settings } from './settings.ts'
import { openTermsStore, type TermsStore } from './store.ts'
import { notAccepted, type Terms, type TermsInForce, termsOf } from './terms.ts'

export type { Acceptance, Terms, TermsInForce } from './terms.ts'

export interface TermsDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly settings: SettingValues<typeof settings>
}

export interface TermsFeature extends Feature {
  readonly terms: Terms
}

/** Throws `terms.settings` (500). */
export function openTerms(dependencies: TermsDependencies): TermsFeature {
  const { storage, clock, audit } = dependencies
  const store = openTermsStore(storage)
  const inForce = termsOf(dependencies.settings)
  const terms: Terms = {
    inForce,
    require(version) {
      if (inForce !== undefined && version !== inForce.version) throw notAccepted()
    },
    async accept(db, acceptance) {
      if (!(await store.insert(db, acceptance, clock.now()))) return
      const { userId, version, request } = acceptance
      const event = { action: 'terms.accepted', outcome: 'success', userId, request } as const
      await audit.recordIn(db, { ...event, actor: { kind: 'user', userId }, detail: { version } })
    },
  }
  return {
    name: 'terms',
    terms,
    ...(inForce && {
      interlude: termsInterlude(inForce, { terms, store, transaction: storage.transaction }),
    }),
    export: async (userId) =>
      (await store.list(userId)).map(({ version, acceptedAt }) => ({
        version,
        acceptedAt: acceptedAt.toISOString(),
      })),
  }
}

interface Asking {
  readonly terms: Terms
  readonly store: TermsStore
  readonly transaction: Storage['transaction']
}

const answer = z.object({ terms: z.string().max(200).optional() })

const termsInterlude = (
  { version, url, privacyUrl }: TermsInForce,
  { terms, store, transaction }: Asking,
): Interlude => ({
  name: 'terms',
  order: 10,
  due: async ({ userId }) => !(await store.has(userId, version)),
  show: async ({ path }) => ({
    template: 'terms/accept',
    model: { version, url, privacyUrl, abortAction: `${path}/abort` },
  }),
  async finish({ userId, request }, input) {
    const given = answer.safeParse(input)
    terms.require(given.data?.terms)
    await transaction((db) => terms.accept(db, { userId, version, request }))
  },
})
