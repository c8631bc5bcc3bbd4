/**
 * The composition root: every part of the house and every feature, handed what it needs. The whole product on one page.
 */
import type { Config } from './config/config.ts'
import { masterKey } from './config/master-key.ts'
import { openAudit } from './features/audit/index.ts'
import { openClients } from './features/clients/index.ts'
import { openConsents } from './features/consents/index.ts'
import type { Feature } from './features/feature.ts'
import { openPasswords, type PasswordsFeature } from './features/passwords/index.ts'
import { openResources } from './features/resources/index.ts'
import { openSetup } from './features/setup/index.ts'
import { openSigningKeys } from './features/signing-keys/index.ts'
import { openThrottle } from './features/throttle/index.ts'
import { openUsers } from './features/users/index.ts'
import type { Clock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'
import { openSealing, type Sealing } from './kernel/sealing.ts'
import { type Artefacts, openArtefacts } from './provider/index.ts'
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
  const artefacts = openArtefacts({ storage, clock, sealing })
  const features = openFeatures({ ...dependencies, storage, sealing, artefacts })
  return {
    ...dependencies,
    storage,
    sealing,
    artefacts,
    features,
    all: Object.values(features),
    close: () => storage.close(),
  }
}

function openFeatures({
  config,
  clock,
  log,
  storage,
  sealing,
  artefacts,
}: Omit<App, 'features' | 'all' | 'close'>) {
  const { issuer } = config
  const audit = openAudit({ storage, clock, log, settings: config.audit })
  const common = { storage, clock, audit: audit.audit, issuer, endEverything: artefacts.endEverythingOfUser }
  const throttle = openThrottle({ storage, clock, settings: config.throttle })
  const users = openUsers({
    ...common,
    issuePasswordLink: (userId, purpose, change) => passwords.passwords.issueLink(userId, purpose, change),
  })
  const passwords: PasswordsFeature = openPasswords({
    ...common,
    users: users.users,
    throttle: throttle.throttle,
    settings: config.passwords,
    productNames: ['Latchkey', config.server.brandName],
  })
  const setup = openSetup({
    ...common,
    users: users.users,
    passwords: passwords.passwords,
    settings: config.setup,
  })
  const clients = openClients({ ...common, endEverythingOfClient: artefacts.endEverythingOfClient })
  const resources = openResources(common)
  const consents = openConsents(common)
  const signingKeys = openSigningKeys({ ...common, sealing, settings: config.signingKeys })
  return { users, passwords, setup, clients, resources, consents, signingKeys, throttle, audit }
}
