/**
 * Owns the keys that the server signs and decrypts with, those of its cookies, and the DPoP nonce secret: made, sealed, rotated.
 * Does not own where they are used; the provider reads a snapshot and asks again when the revision moves.
 */
import type { JWK } from 'jose'
import type { Clock } from '../../kernel/clock.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { type KeyOperations, keyCommands } from './commands.ts'
import { openRotation, type Rotation, sealedRow } from './rotation.ts'
import { openServerSecrets, type ServerSecrets } from './secrets.ts'
import type { settings } from './settings.ts'
import { algorithms, encrypts, neededAtOnce } from './signing-keys.ts'
import { openSigningKeyStore, type SigningKeyStore } from './store.ts'

export { signingKeysDefinition } from './commands.ts'
export { type Algorithm, algorithms } from './signing-keys.ts'

/** Everything secret that the provider works with, as of one revision. */
export interface KeySnapshot {
  /** Private keys; of each algorithm the signing one first, retired ones last. */
  readonly jwks: readonly JWK[]
  /** The `kid` of those that decrypt what is on its way, and with which nobody shall encrypt any more. */
  readonly withdrawn: readonly string[]
  /** Newest first: the first signs, all verify. */
  readonly cookieKeys: readonly string[]
  /** 32 bytes. */
  readonly dpopNonceSecret: Buffer
}

export interface SigningKeys {
  /** Makes what is missing, so it can be called by several processes at once. */
  snapshot(): Promise<KeySnapshot>
  /** Moves when a process has changed a key; `undefined` while that cannot be known. */
  revision(): number | undefined
}

export interface SigningKeyDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly settings: SettingValues<typeof settings>
}

const cookieSecret = 'cookies'
const dpopSecret = 'dpop-nonce'
const stateOrder = { active: 0, next: 1, retired: 2 }

interface Parts extends SigningKeyDependencies {
  readonly store: SigningKeyStore
  readonly rotation: Rotation
  readonly secrets: ServerSecrets
}

export function openSigningKeys(
  dependencies: SigningKeyDependencies,
): Feature & { readonly keys: SigningKeys } {
  const store = openSigningKeyStore(dependencies.storage)
  const rotation = openRotation({ ...dependencies, store, schedule: dependencies.settings })
  const secrets = openServerSecrets({ ...dependencies, store })
  const parts = { ...dependencies, store, rotation, secrets }

  return {
    name: 'signing-keys',
    keys: signingKeys(parts),
    commands: keyCommands(operations(parts)),
    jobs: [
      {
        name: 'signing-keys.rotate',
        everySeconds: 300,
        async run() {
          if (await rotation.isDue()) await rotation.advance()
          return { more: false }
        },
      },
    ],
  }
}

const signingKeys = ({ storage, sealing, store, rotation, secrets }: Parts): SigningKeys => ({
  revision: () => storage.revision('keys'),
  async snapshot() {
    const active = (await store.listKeys()).filter(({ state }) => state === 'active')
    const missing = neededAtOnce.filter((algorithm) => !active.some((key) => key.algorithm === algorithm))
    if (missing.length > 0) await rotation.begin(missing)
    const [nonce = ''] = await secrets.list(dpopSecret)
    const keys = await store.listKeys()
    return {
      jwks: keys
        .toSorted((a, b) => stateOrder[a.state] - stateOrder[b.state])
        .map(({ kid, sealedJwk }) => JSON.parse(sealing.open(sealedJwk, sealedRow(kid))) as JWK),
      withdrawn: keys
        .filter(({ algorithm, state }) => state === 'retired' && encrypts(algorithm))
        .map(({ kid }) => kid),
      cookieKeys: await secrets.list(cookieSecret),
      dpopNonceSecret: Buffer.from(nonce, 'base64url'),
    }
  },
})

const operations = ({ store, rotation, secrets, audit }: Parts): KeyOperations => ({
  list: () => store.listKeys(),
  async rotate(only, immediately) {
    const chosen = algorithms.filter((algorithm) => only === undefined || algorithm === only)
    await (immediately ? rotation.replace(chosen) : rotation.publishNext(chosen))
    return await store.listKeys()
  },
  remove: (kid) => rotation.remove(kid),
  async rotateCookieKey() {
    const generation = await secrets.rotate(cookieSecret)
    await audit.record({
      action: 'signing-keys.cookie_key_rotated',
      outcome: 'success',
      detail: { generation },
    })
  },
})
