/**
 * Owns what the server remembers of a sign-in under way: the proofs given so far, and the challenges waiting for an answer.
 * Does not own what proves something (factors), nor what comes next (`pages/login/next-step.ts`).
 */
import { after, type Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Feature } from '../feature.ts'
import type { Attempts, StoredAttempt } from './attempts.ts'
import type { Challenge, Challenges } from './challenges.ts'
import { type AttemptStore, openAttemptStore } from './store.ts'

export type { Attempts, StoredAttempt } from './attempts.ts'
export type { Challenge, Challenges, NewChallenge } from './challenges.ts'

export interface AttemptDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  /** How long a person has to finish signing in. */
  readonly ttlSeconds: number
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

function attemptsOver({ clock, ttlSeconds }: AttemptDependencies, store: AttemptStore): Attempts {
  /** Reads, changes and writes until nothing came between. */
  async function change(id: string, edit: (before: StoredAttempt) => StoredAttempt): Promise<StoredAttempt> {
    for (let count = 0; count < tries; count += 1) {
      const createdAt = clock.now()
      const { version, ...before } = await store.find(id, createdAt)
      const next = edit(before)
      const written =
        version === undefined
          ? await store.insert(id, next, { createdAt, expiresAt: after(createdAt, ttlSeconds) })
          : await store.replace(id, next, version)
      if (written) return next
    }
    throw new Error('A sign-in was changed too often at the same time.')
  }

  return {
    async find(id) {
      const { version: _, ...attempt } = await store.find(id, clock.now())
      return attempt
    },
    add: (id, proof) =>
      change(id, ({ userId, proofs, passed }) =>
        userId === proof.userId
          ? { userId, passed, proofs: [...proofs.filter(({ factor }) => factor !== proof.factor), proof] }
          : { userId: proof.userId, passed: [], proofs: [proof] },
      ),
    pass: (id, interlude) =>
      change(id, (before) => ({ ...before, passed: [...new Set([...before.passed, interlude])] })),
    end: (id) => store.remove(id),
    endOfUser: (db, userId, but = []) => store.removeOfUser(db, userId, but),
  }
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
