import type { Clock } from '../../kernel/clock.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import { type GeneratedKey, generateKey } from './generate.ts'
import {
  type Algorithm,
  activationSteps,
  dueSteps,
  publicationSteps,
  type Schedule,
  type SigningKey,
  type Step,
} from './signing-keys.ts'
import type { SigningKeyStore } from './store.ts'

export interface Rotation {
  /** True when the schedule has something to do. */
  isDue(): Promise<boolean>
  /** Takes the steps that the schedule says are due. */
  advance(): Promise<void>
  /** Makes the first key of each algorithm that has none. */
  begin(only: readonly Algorithm[]): Promise<void>
  /** Publishes a next key of each algorithm that has none, whatever the schedule. */
  publishNext(only: readonly Algorithm[]): Promise<void>
  /** The same, and lets the next keys sign from now on. */
  replace(only: readonly Algorithm[]): Promise<void>
  /** Throws `signing-keys.unknown` (404), and `signing-keys.in_use` (409) for a key that signs. */
  remove(kid: string): Promise<void>
}

export interface RotationDependencies {
  readonly storage: Storage
  readonly store: SigningKeyStore
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly schedule: Schedule
}

/** What the private key of `kid` is sealed for. */
export const sealedRow = (kid: string): string => `signing_key:${kid}:sealed_jwk`

export function openRotation(dependencies: RotationDependencies): Rotation {
  const { storage, store, clock, schedule } = dependencies
  const take = stepTaker(dependencies)

  /** One process at a time: the revision row is locked first, so that two never make a key each. */
  const takeAll = async (...rounds: readonly StepsOf[]): Promise<void> => {
    // RSA keys take their time, in which a transaction would keep everybody else waiting.
    const ready = await generateFor(rounds, await store.listKeys())
    await storage.transaction(async (db) => {
      await storage.touch(db, 'keys')
      for (const stepsOf of rounds) {
        for (const step of stepsOf(await store.listKeys(db))) await take(db, step, ready)
      }
    })
  }
  const due = (keys: readonly SigningKey[]): readonly Step[] => dueSteps(keys, clock.now(), schedule)

  return {
    isDue: async () => due(await store.listKeys()).length > 0,
    advance: () => takeAll(due),
    begin: (only) =>
      takeAll((keys) =>
        publicationSteps(keys, only).filter((step) => step.do !== 'create' || step.state === 'active'),
      ),
    publishNext: (only) => takeAll((keys) => publicationSteps(keys, only)),
    remove: (kid) => takeAll((keys) => [removal(keys, kid)]),
    replace: (only) =>
      takeAll(
        (keys) => publicationSteps(keys, only),
        (keys) => activationSteps(keys, only),
      ),
  }
}

type Creation = Extract<Step, { do: 'create' }>
type StepsOf = (keys: readonly SigningKey[]) => readonly Step[]
type ReadyKeys = Map<Algorithm, GeneratedKey>

async function generateFor(rounds: readonly StepsOf[], keys: readonly SigningKey[]): Promise<ReadyKeys> {
  const ready: ReadyKeys = new Map()
  for (const step of rounds.flatMap((stepsOf) => stepsOf(keys))) {
    if (step.do === 'create') ready.set(step.algorithm, await generateKey(step.algorithm))
  }
  return ready
}

function removal(keys: readonly SigningKey[], kid: string): Step {
  const key = keys.find((each) => each.kid === kid)
  if (key === undefined)
    throw notFound('signing-keys.unknown', `There is no key ${kid}. List the keys to see those there are.`)
  if (key.state !== 'active') return { do: 'remove', kid }
  throw new AppError(
    'signing-keys.in_use',
    409,
    'This key signs at the moment. Run `latchkey keys rotate --immediately` first.',
  )
}

/** Takes one step in a transaction and records it there. */
function stepTaker({ store, clock, sealing, audit }: RotationDependencies) {
  async function create(db: DatabaseTransaction, step: Creation, ready: ReadyKeys): Promise<void> {
    const { algorithm, state } = step
    const { kid, privateJwk, publicJwk } = ready.get(algorithm) ?? (await generateKey(algorithm))
    // Each is used once.
    ready.delete(algorithm)
    const now = clock.now()
    await store.insertKey(db, {
      kid,
      algorithm,
      state,
      publicJwk: JSON.stringify(publicJwk),
      sealedJwk: sealing.seal(JSON.stringify(privateJwk), sealedRow(kid)),
      createdAt: now,
      activatedAt: state === 'active' ? now : undefined,
      retiredAt: undefined,
    })
    await audit.recordIn(db, {
      action: 'signing-keys.created',
      outcome: 'success',
      detail: { kid, algorithm, state },
    })
  }

  return async (db: DatabaseTransaction, step: Step, ready: ReadyKeys): Promise<void> => {
    if (step.do === 'create') return await create(db, step, ready)
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
}
