/**
 * The composition root: the house over an open database.
 */
import type { Config } from './config/config.ts'
import { masterKey } from './config/master-key.ts'
import type { Feature } from './features/feature.ts'
import type { Clock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'
import { openSealing, type Sealing } from './kernel/sealing.ts'
import { openFeatures } from './open-features.ts'
import { type Artefacts, type OutboundFetch, openArtefacts, openOutbound } from './provider/index.ts'
import { openStorage, type StorageOptions } from './storage/open.ts'
import type { Storage } from './storage/storage.ts'

export interface AppDependencies {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

/** The features over an open database: what the server and the command line share. */
export interface App extends AppDependencies {
  readonly storage: Storage
  readonly sealing: Sealing
  readonly artefacts: Artefacts
  /** The guarded way out to what others name. */
  readonly outbound: OutboundFetch
  readonly features: ReturnType<typeof openFeatures>
  /** The same as a list, for whoever derives from features without knowing them. */
  readonly all: readonly Feature[]
  close(): Promise<void>
}

export const storageOptions = ({ server }: Config): StorageOptions => ({
  databaseUrl: server.databaseUrl,
  dataFolder: server.dataFolder,
  synchronous: server.databaseSynchronous,
  poolSize: server.databasePoolSize,
  timeoutMilliseconds: server.databaseTimeoutSeconds * 1000,
})

/** Opens the database, brings it up to date, and opens every feature over it. */
export async function openApp(dependencies: AppDependencies): Promise<App> {
  const { config, clock } = dependencies
  const sealing = openSealing(masterKey(config.server.masterKey, config.server.keyFolder))
  const storage = await openStorage(storageOptions(config))
  const all: Feature[] = []
  const artefacts = openArtefacts({
    storage,
    clock,
    sealing,
    settings: config.provider,
    async sessionsEnded(db, ended) {
      for (const feature of all) await feature.sessionsEnded?.(db, ended)
    },
  })
  const outbound = openOutbound({
    allowPrivate: config.provider.outboundAllowPrivate,
    allowHosts: config.provider.outboundAllowHosts,
  })
  const features = openFeatures({
    ...dependencies,
    storage,
    sealing,
    artefacts,
    outbound: outbound.fetch,
    all,
  })
  all.push(...Object.values(features))
  return {
    ...dependencies,
    storage,
    sealing,
    artefacts,
    outbound: outbound.fetch,
    features,
    all,
    async close() {
      try {
        await outbound.close()
      } finally {
        await storage.close()
      }
    },
  }
}
