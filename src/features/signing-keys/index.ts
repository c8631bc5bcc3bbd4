/**
 * Owns the keys that the server signs with, the keys of its cookies and the DPoP nonce secret: made, sealed, rotated.
 * Does not own where they are used; the provider reads a snapshot and asks again when the revision moves.
 */
import type { JWK } from 'jose'
import type { Clock } from '../../kernel/clock.ts'
import { newSecret } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { keyCommands } from './commands.ts'
import { generateKey } from './generate.ts'
import type { settings } from './settings.ts'
import {
  type Algorithm,
  algorithms,
  dueSteps,
  type Schedule,
  type SigningKey,
  type Step,
} from './signing-keys.ts'
import { openSigningKeyStore, type StoredKey } from './store.ts'

export { signingKeysDefinition } from './commands.ts'
export { type Algorithm, algorithms } from './signing-keys.ts'

/** Everything secret that the provider works with, as of one revision. */
export interface KeySnapshot {
  /** Private keys; of each algorithm the signing one first, retired ones last. */
  readonly jwks: readonly JWK[]
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
const rowOf = (kid: string): string => `signing_key:${kid}:sealed_jwk`
const secretRowOf = (name: string, generation: number): string => `server_secret:${name}:${generation}`
const stateOrder = { active: 0, next: 1, retired: 2 }

export function openSigningKeys(
  dependencies: SigningKeyDependencies,
): Feature & { readonly keys: SigningKeys } {
  const { storage, clock, sealing, audit, settings } = dependencies
  const store = openSigningKeyStore(storage)

  async function create(
    db: DatabaseTransaction,
    algorithm: Algorithm,
    state: 'next' | 'active',
  ): Promise<void> {
    const { kid, privateJwk, publicJwk } = await generateKey(algorithm)
    const now = clock.now()
    const key: StoredKey = {
      kid,
      algorithm,
      state,
      publicJwk: JSON.stringify(publicJwk),
      sealedJwk: sealing.seal(JSON.stringify(privateJwk), rowOf(kid)),
      createdAt: now,
      activatedAt: state === 'active' ? now : undefined,
      retiredAt: undefined,
    }
    await store.insertKey(db, key)
    await audit.recordIn(db, {
      action: 'signing-keys.created',
      outcome: 'success',
      detail: { kid, algorithm, state },
    })
  }

  async function take(db: DatabaseTransaction, step: Step): Promise<void> {
    if (step.do === 'create') return await create(db, step.algorithm, step.state)
    if (step.do === 'remove') {
      await store.removeKey(db, step.kid)
    } else {
      if (!(await store.activate(db, step.kid, clock.now()))) return
      if (step.retire !== undefined) await store.retire(db, step.retire, clock.now())
    }
    await audit.recordIn(db, {
      action: `signing-keys.${step.do}d`,
      outcome: 'success',
      detail: { kid: step.kid },
    })
  }

  /** One process at a time: the revision row is locked first, so that two never make a key each. */
  async function advance(schedule: Schedule, only: readonly Algorithm[] = algorithms): Promise<void> {
    await storage.transaction(async (db) => {
      await storage.touch(db, 'keys')
      const keys = (await store.listKeys(db)).filter(({ algorithm }) => only.includes(algorithm))
      for (const step of dueSteps(keys, clock.now(), schedule)) {
        if (step.do !== 'create' || only.includes(step.algorithm)) await take(db, step)
      }
    })
  }

  async function secrets(name: string): Promise<readonly string[]> {
    const stored = await store.listSecrets(name)
    if (stored.length === 0) {
      await addSecret(name, 1)
      return await secrets(name)
    }
    return stored.map(({ generation, sealed }) => sealing.open(sealed, secretRowOf(name, generation)))
  }

  const addSecret = (name: string, generation: number): Promise<boolean> =>
    store.insertSecret({ name, generation, sealed: sealing.seal(newSecret(), secretRowOf(name, generation)) })

  async function due(): Promise<boolean> {
    return dueSteps(await store.listKeys(), clock.now(), settings).length > 0
  }

  const keys: SigningKeys = {
    revision: () => storage.revision('keys'),
    async snapshot() {
      const active = (await store.listKeys()).filter(({ state }) => state === 'active')
      if (algorithms.some((algorithm) => !active.some((key) => key.algorithm === algorithm)))
        await advance(settings)
      const [nonce = ''] = await secrets(dpopSecret)
      return {
        jwks: (await store.listKeys())
          .toSorted((a, b) => stateOrder[a.state] - stateOrder[b.state])
          .map(({ kid, sealedJwk }) => JSON.parse(sealing.open(sealedJwk, rowOf(kid))) as JWK),
        cookieKeys: await secrets(cookieSecret),
        dpopNonceSecret: Buffer.from(nonce, 'base64url'),
      }
    },
  }

  const operations = {
    list: (): Promise<readonly SigningKey[]> => store.listKeys(),
    async rotate(only: string | undefined, immediately: boolean) {
      const chosen = algorithms.filter((algorithm) => only === undefined || algorithm === only)
      await advance({ ...settings, rotationSeconds: 0, publishSeconds: settings.publishSeconds }, chosen)
      if (immediately) await advance({ ...settings, rotationSeconds: 0, publishSeconds: 0 }, chosen)
      return await store.listKeys()
    },
    async rotateCookieKey() {
      const [newest] = await store.listSecrets(cookieSecret)
      const generation = (newest?.generation ?? 0) + 1
      await addSecret(cookieSecret, generation)
      await store.removeSecretsBefore(cookieSecret, generation - 1)
      await audit.record({
        action: 'signing-keys.cookie_key_rotated',
        outcome: 'success',
        detail: { generation },
      })
    },
  }

  return {
    name: 'signing-keys',
    keys,
    commands: keyCommands(() => operations),
    jobs: [
      {
        name: 'signing-keys.rotate',
        everySeconds: 300,
        async run() {
          if (await due()) await advance(settings)
          return { more: false }
        },
      },
    ],
  }
}
