/**
 * Owns leaving: the copy of all that is held of a person, and the deletion of his account after a waiting time.
 * Does not own what is held (each feature exports its own) nor deleting itself (`users`).
 */
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import type { Users } from '../users/index.ts'
import { type Exporting, openCopies } from './copies.ts'
import type { Departures } from './departures.ts'
import { departureInterlude } from './interlude.ts'
import { type LeavingDependencies, openLeaving } from './leaving.ts'
import { copyPanel, departurePanel } from './panels.ts'
import { openDepartureStore } from './store.ts'

export type { Departure, Departures } from './departures.ts'

export interface DepartureDependencies extends Omit<LeavingDependencies, 'users'> {
  readonly storage: Storage
  readonly users: Pick<Users, 'get' | 'find' | 'delete' | 'canonicalIdentifier' | 'countAdministrators'>
  /** All features, known once every one is open. */
  readonly features: () => readonly Exporting[]
}

export interface DeparturesFeature extends Feature {
  readonly departures: Departures
}

export function openDepartures(dependencies: DepartureDependencies): DeparturesFeature {
  const { clock, storage, users } = dependencies
  const departures = openLeaving(dependencies, openDepartureStore(storage))

  return {
    name: 'departures',
    departures,
    interlude: departureInterlude(departures),
    panels: [copyPanel(openCopies(dependencies), clock), departurePanel({ departures, users })],
    export: async (userId) => (await departures.find(userId)) ?? null,
    jobs: [
      {
        name: 'departures.delete_due',
        everySeconds: 300,
        run: async () => ({ more: await departures.deleteDue() }),
      },
    ],
  }
}
