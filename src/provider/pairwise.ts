import { createHmac } from 'node:crypto'
import { type Configuration, Provider } from 'oidc-provider'
import type { Sealing } from '../kernel/sealing.ts'

/** What decides how a client knows people. */
interface Knower {
  readonly subjectType?: string | undefined
  /** The host that stands for its sector (OpenID Connect Core 1.0 §8.1). */
  readonly sectorIdentifier?: string | undefined
}

/** The `sub` by which a client knows a person. */
export type SubjectOf = (userId: string, client: Knower) => string

/**
 * Pairwise identifiers are made from the master key: they survive every rotation and restart, and nobody without that key
 * can tell whose one is. The length stands before the sector, so that no two pairs of sector and person are alike.
 */
export function openSubjects(sealing: Sealing): SubjectOf {
  const key = sealing.derive('pairwise')
  return (userId, { subjectType, sectorIdentifier: sector = '' }) =>
    subjectType === 'pairwise'
      ? createHmac('sha256', key).update(`${sector.length}:${sector}:${userId}`).digest('base64url')
      : userId
}

export function pairwiseOptions(sealing: Sealing): Configuration {
  const subjectOf = openSubjects(sealing)
  return {
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, userId, client) => subjectOf(userId, client as Knower),
    // Whoever registers himself, or publishes his own metadata, shows here that he belongs to the sector. Of clients that
    // operators make it is shown when they are made; asking again would make each sign-in depend on another server.
    sectorIdentifierUriValidate: ({ clientId }) =>
      clientId.includes(':') || registrations.has(Provider.ctx?.oidc?.route ?? ''),
  }
}

const registrations = new Set(['registration', 'client_update'])
