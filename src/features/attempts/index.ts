/**
 * Owns what the server remembers of a sign-in under way: the proofs given so far, and the challenges waiting for an answer.
 * Does not own what proves something (factors), nor what comes next (`pages/login/next-step.ts`).
 */
import { after, type Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Feature, Proof } from '../feature.ts'
import { type Attempts, ended, type StoredAttempt } from './attempts.ts'
import type { Challenge, Challenges } from './challenges.ts'
import { type AttemptStore, openAttemptStore } from './store.ts'

export type { Attempts, Place, StoredAttempt } from './attempts.ts'
export type { Challenge, Challenges, NewChallenge } from './challenges.ts'

export interface AttemptDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  /** How long a person has to finish signing in. */
  readonly ttlSeconds: number
  readonly isSessionOpen: (db: DatabaseTransaction, uid: string, userId: string) => Promise<boolean>
}

export interface AttemptsFeature extends Feature {
  readonly attempts: Attempts
  readonly challenges: Challenges
}

export function openAttempts(dependencies: AttemptDependencies): AttemptsFeature {
  const { storage, clock } = dependencies
  const store = openAttemptStore(storage)
  return {
    name: 'attempts',
    attempts: attemptsOver(dependencies, store),
    challenges: challengesOver(dependencies, store),
    jobs: [
      {
        name: 'attempts.remove_expired',
        everySeconds: 300,
        run: async () => ({ more: await store.removeExpired(clock.now()) }),
      },
    ],
  }
}

const tries = 20

function attemptsOver(dependencies: AttemptDependencies, store: AttemptStore): Attempts {
  const { storage, clock, ttlSeconds, isSessionOpen } = dependencies
  const times = () => ({ createdAt: clock.now(), expiresAt: after(clock.now(), ttlSeconds) })
  const stands: Attempts['stands'] = (db, id, userId) => store.stands(db, id, { userId, at: clock.now() })

  /** One try to read, change and write; `undefined` where something came between. */
  async function tryTo(db: DatabaseTransaction, id: string, edit: Edit): Promise<StoredAttempt | undefined> {
    const { version, ...before } = await store.find(id, clock.now(), db)
    return await store.write(db, { id, attempt: edit(before), version }, times())
  }

  async function untilWritten(work: () => Promise<StoredAttempt | undefined>): Promise<StoredAttempt> {
    for (let count = 0; count < tries; count += 1) {
      const written = await store.orFirst(work())
      if (written !== undefined) return written
    }
    throw new Error('A sign-in was changed too often at the same time.')
  }

  return {
    async find(id) {
      const { version: _, ...attempt } = await store.find(id, clock.now())
      return attempt
    },
    epochOf: store.epochOf,
    add: (id, { epoch, ...proof }, { userId: about, sessionUid } = {}) =>
      untilWritten(() =>
        storage.transaction(async (db) => {
          // Whoever ends the user's sign-ins comes before this or after it: then he finds what is written here.
          await store.lock(db, proof.userId)
          const present = await store.epochOf(proof.userId, db)
          if (epoch !== undefined && present !== '' && present !== epoch) throw ended()
          if (sessionUid !== undefined && !(await isSessionOpen(db, sessionUid, proof.userId))) throw ended()
          return await tryTo(db, id, adding(proof, epoch === undefined ? proof.userId : about))
        }),
      ),
    pass: (id, interlude) =>
      untilWritten(() =>
        tryTo(storage.db, id, (before) => ({
          ...before,
          passed: [...new Set([...before.passed, interlude])],
        })),
      ),
    stands,
    async requireOpen(db, userId, { attempt, sessionUid }) {
      if (attempt !== undefined) {
        if (!(await stands(db, attempt, userId))) throw ended()
      } else if (sessionUid !== undefined && !(await isSessionOpen(db, sessionUid, userId))) throw ended()
    },
    async settle(id, userId) {
      await store.endChallenges(id)
      return await stands(storage.db, id, userId)
    },
    endOfUser: (db, userId, but = []) => store.removeOfUser(db, userId, { but, ...times() }),
  }
}

type Edit = (before: StoredAttempt) => StoredAttempt

/** What was proven so far and one proof more; nothing is added to what was about somebody and is gone. */
const adding =
  (proof: Proof, about: UserId | undefined): Edit =>
  ({ userId, proofs, passed }) => {
    if (about !== undefined && userId !== about) throw ended()
    return userId === proof.userId
      ? { userId, passed, proofs: [...proofs.filter(({ factor }) => factor !== proof.factor), proof] }
      : { userId: proof.userId, passed: [], proofs: [proof] }
  }

function challengesOver({ clock, sealing }: AttemptDependencies, store: AttemptStore): Challenges {
  const rowOf = (owner: string, purpose: string): string => `challenge:${owner}:${purpose}:sealed`

  async function opened(
    owner: string,
    purpose: string,
    accept: (id: string) => Promise<boolean>,
  ): Promise<Challenge | undefined> {
    const row = await store.findChallenge(owner, purpose, clock.now())
    if (row === null || !(await accept(row.id))) return undefined
    return {
      ...(row.userId === null ? {} : { userId: row.userId as UserId }),
      state: JSON.parse(sealing.open(row.sealed, rowOf(owner, purpose))),
      expiresAt: row.expiresAt,
    }
  }

  return {
    async put(owner, purpose, { userId, state, ttlSeconds }) {
      const createdAt = clock.now()
      await store.put(
        { owner, purpose },
        {
          userId: userId ?? null,
          sealed: sealing.seal(JSON.stringify(state), rowOf(owner, purpose)),
          createdAt,
          expiresAt: after(createdAt, ttlSeconds),
        },
      )
    },
    find: (owner, purpose) => opened(owner, purpose, async () => true),
    take: (owner, purpose) => opened(owner, purpose, store.takeChallenge),
    attempt: (owner, purpose, limit) => opened(owner, purpose, (id) => store.countAnswer(id, limit)),
    end: (owner, purpose) => store.endChallenge(owner, purpose),
  }
}
