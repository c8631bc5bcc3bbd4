/**
 * Owns passkeys: who has which, their two ceremonies, the factor `passkey`, the offer of one, their part of the account.
 * Does not own who there is (`users`), what a sign-in demands, nor what is remembered of one under way (`attempts`).
 */
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Factor, Feature, PublicDocument } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import type { Users } from '../users/index.ts'
import { passkeyCommands } from './commands.ts'
import { type EnrolmentDependencies, openEnrolling, passkeyEnrolment } from './enrolment.ts'
import { type FactorDependencies, passkeyOfferedAsFactor } from './factor.ts'
import { makerOf } from './makers.ts'
import { passkeyOffer } from './offer.ts'
import { type PanelDependencies, passkeyPanel } from './panel.ts'
import { type RelyingParty, relyingPartyOf } from './relying-party.ts'
import { openRemoval } from './removal.ts'
import type { settings } from './settings.ts'
import { openPasskeyStore, type PasskeyStore } from './store.ts'

type Common = Omit<
  FactorDependencies & EnrolmentDependencies & PanelDependencies,
  'store' | 'relyingParty' | 'storage' | 'notices' | 'users'
>

export { passkeysDefinition } from './commands.ts'

export interface PasskeyDependencies extends Common {
  readonly storage: Storage
  readonly notices: Notices
  readonly users: Users
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer. */
  readonly issuer: string
  /** What the service is called, for the authenticator's own window. */
  readonly name: string
}

export interface PasskeysFeature extends Feature {
  /** Absent where the issuer's host is an IP address, for which there are no passkeys. */
  readonly factor?: Factor
}

export function openPasskeys(dependencies: PasskeyDependencies): PasskeysFeature {
  const { storage, issuer, name, users, settings } = dependencies
  const store = openPasskeyStore(storage)
  const relyingParty = relyingPartyOf(issuer, name, settings)
  // Those of another domain stay listed, and can be removed, wherever the server is.
  const place = relyingParty ?? { id: new URL(issuer).hostname }
  const remove = openRemoval({ ...dependencies, store, relyingParty: place })
  const feature = {
    name: 'passkeys',
    export: exporting(store),
    commands: passkeyCommands({ store, users, remove }),
  }
  if (relyingParty === undefined) return feature
  const parts = { ...dependencies, store, relyingParty }
  const enrolling = openEnrolling(parts)
  const enrolment = passkeyEnrolment(enrolling)

  return {
    ...feature,
    factor: passkeyOfferedAsFactor(parts, enrolment),
    interlude: passkeyOffer(parts, enrolment),
    panels: [passkeyPanel(parts, enrolling)],
    documents: settings.relatedOrigins.length === 0 ? [] : [relatedOrigins(relyingParty)],
  }
}

/** WebAuthn Level 3 §5.11.1. */
const relatedOrigins = ({ origins }: RelyingParty): PublicDocument => ({
  path: '/.well-known/webauthn',
  body: JSON.stringify({ origins }),
})

const exporting = (store: PasskeyStore) => async (userId: string) =>
  (await store.list(userId)).map(({ name, aaguid, createdAt, lastUsedAt, rpId, multiDevice, backedUp }) => ({
    name,
    maker: makerOf(aaguid) ?? null,
    domain: rpId,
    synced: multiDevice && backedUp,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }))
