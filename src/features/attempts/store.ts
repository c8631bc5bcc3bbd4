import { randomInt } from 'node:crypto'
import { hashSecret, newId, type UserId } from '../../kernel/ids.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import type { Proof } from '../feature.ts'
import type { StoredAttempt } from './attempts.ts'

/** A row as it is read, and the count of its writes by which a change knows that nothing came between. */
export interface AttemptRow extends StoredAttempt {
  readonly version: number | undefined
}

interface StoredChallenge {
  readonly id: string
  readonly userId: string | null
  readonly sealed: string
  readonly expiresAt: Date
}

interface Times {
  readonly createdAt: Date
  readonly expiresAt: Date
}

const openAttemptRows = ({ db }: Storage) => ({
  async find(id: string, at: Date, within: DatabaseTransaction = db): Promise<AttemptRow> {
    const row = await within.signInAttempt.findFirst({ where: { id, expiresAt: { gt: at } } })
    if (row === null) return { userId: undefined, proofs: [], passed: [], version: undefined }
    return {
      userId: (row.userId ?? undefined) as UserId | undefined,
      proofs: (JSON.parse(row.proofs) as (Omit<Proof, 'at'> & { at: string })[]).map((proof) => ({
        ...proof,
        at: new Date(proof.at),
      })),
      passed: JSON.parse(row.passed) as string[],
      version: row.version,
    }
  },

  /** Where it was at `version`, or was not there. `undefined` where another request was first. */
  async write(
    within: DatabaseTransaction,
    { id, attempt, version }: { id: string; attempt: StoredAttempt; version: number | undefined },
    times: Times,
  ): Promise<StoredAttempt | undefined> {
    if (version === undefined) {
      await within.signInAttempt.deleteMany({ where: { id, expiresAt: { lte: times.createdAt } } })
      // Where it begins cannot be guessed by who has read one that is gone.
      const data = { id, ...columnsOf(attempt), ...times, version: randomInt(2 ** 30) }
      await within.signInAttempt.create({ data })
      return attempt
    }
    const { count } = await within.signInAttempt.updateMany({
      where: { id, version },
      data: { ...columnsOf(attempt), version: version + 1 },
    })
    return count === 1 ? attempt : undefined
  },

  /** Runs what may write an attempt; `undefined` where another request has inserted the same one first. */
  async orFirst<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (isUniqueViolation(error)) return undefined
      throw error
    }
  },

  /** Whether something was proven in it, by this user, and nobody has ended it. */
  async stands(within: DatabaseTransaction, id: string, { userId, at }: { userId: string; at: Date }) {
    return (await within.signInAttempt.count({ where: { id, userId, expiresAt: { gt: at } } })) === 1
  },
})

/**
 * When the sign-ins of a user were ended: a row among what is remembered, with a new `id` each time. It has to outlive no
 * more than the requests that were under way then; a row that is no more stands for nothing that happened lately.
 */
const epochRow = (userId: string) => ({ owner: hashSecret(`epoch ${userId}`), purpose: 'attempts.epoch' })

const openEndings = ({ db, dialect }: Storage) => ({
  lock: (within: DatabaseTransaction, userId: string): Promise<void> => lockUser(dialect, within, userId),

  async epochOf(userId: string, within: DatabaseTransaction = db): Promise<string> {
    const where = { owner_purpose: epochRow(userId) }
    return (await within.challenge.findUnique({ where, select: { id: true } }))?.id ?? ''
  },

  /** Ends what is under way, and begins an epoch. */
  async removeOfUser(
    within: DatabaseTransaction,
    userId: string,
    { but, ...times }: Times & { readonly but: readonly string[] },
  ): Promise<void> {
    await within.signInAttempt.deleteMany({ where: { userId, id: { notIn: [...but] } } })
    await within.challenge.deleteMany({ where: { userId, owner: { notIn: [...but] } } })
    const row = { id: newId(), sealed: '', failures: 0, ...times }
    const key = epochRow(userId)
    await within.challenge.upsert({
      where: { owner_purpose: key },
      create: { ...key, ...row },
      update: row,
    })
  },
})

const columnsOf = ({ userId, proofs, passed }: StoredAttempt) => ({
  userId: userId ?? null,
  proofs: JSON.stringify(proofs),
  passed: JSON.stringify(passed),
})

const openChallengeRows = ({ db }: Storage) => ({
  async put(
    { owner, purpose }: { readonly owner: string; readonly purpose: string },
    row: Omit<StoredChallenge, 'id'> & { readonly createdAt: Date },
  ): Promise<void> {
    const columns = { ...row, id: newId(), failures: 0 }
    await db.challenge.upsert({
      where: { owner_purpose: { owner, purpose } },
      create: { owner, purpose, ...columns },
      update: columns,
    })
  },

  findChallenge: (owner: string, purpose: string, at: Date): Promise<StoredChallenge | null> =>
    db.challenge.findFirst({ where: { owner, purpose, expiresAt: { gt: at } } }),

  /** True for exactly one caller, and only for the challenge that it has read. */
  takeChallenge: async (id: string): Promise<boolean> =>
    (await db.challenge.deleteMany({ where: { id } })).count === 1,

  /** Counts one answer; false where as many as are allowed were counted before. */
  countAnswer: async (id: string, limit: number): Promise<boolean> =>
    (
      await db.challenge.updateMany({
        where: { id, failures: { lt: limit } },
        data: { failures: { increment: 1 } },
      })
    ).count === 1,

  async endChallenge(owner: string, purpose: string): Promise<void> {
    await db.challenge.deleteMany({ where: { owner, purpose } })
  },

  async endChallenges(owner: string): Promise<void> {
    await db.challenge.deleteMany({ where: { owner } })
  },
})

const openClearance = ({ db }: Storage) => ({
  /** Removes at most one batch of each that has expired; true when more may be left. */
  async removeExpired(at: Date): Promise<boolean> {
    const expired = { expiresAt: { lte: at } }
    const moreAttempts = await removeBatch(
      (take) => db.signInAttempt.findMany({ where: expired, select: { id: true }, take }),
      (rows) => db.signInAttempt.deleteMany({ where: { ...expired, id: { in: rows.map(({ id }) => id) } } }),
    )
    const moreChallenges = await removeBatch(
      (take) => db.challenge.findMany({ where: expired, select: { id: true }, take }),
      (rows) => db.challenge.deleteMany({ where: { ...expired, id: { in: rows.map(({ id }) => id) } } }),
    )
    return moreAttempts || moreChallenges
  },
})

export const openAttemptStore = (storage: Storage) => ({
  ...openAttemptRows(storage),
  ...openEndings(storage),
  ...openChallengeRows(storage),
  ...openClearance(storage),
})
export type AttemptStore = ReturnType<typeof openAttemptStore>
