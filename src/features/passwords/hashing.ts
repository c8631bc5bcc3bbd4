import { randomBytes } from 'node:crypto'
import { parseOptions } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { AppError } from '../../kernel/errors.ts'
import { openHashingThreads, type Task } from './hashing-threads.ts'

const argon2id = 2
const tagBytes = 32
const saltBytes = 16

export interface HashingOptions {
  readonly argon2MemoryKib: number
  readonly argon2Passes: number
  readonly argon2Parallelism: number
  readonly concurrentHashes: number
  readonly waitingHashes: number
}

/** A PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (RFC 9106). */
declare const hashed: unique symbol
export type PasswordHash = string & { readonly [hashed]: true }

/** Every call takes one turn in a bounded queue and throws `passwords.busy` (503) when that is full. */
export interface Hashing {
  hash(password: string): Promise<PasswordHash>
  /** Compares with `stored`, or for nothing stored with a decoy of the same cost, and then answers false. */
  verify(password: string, stored: string | undefined): Promise<boolean>
  /** Whether `stored` was made with other parameters than those in force. */
  isOutdated(stored: string): boolean
  /** Whether another call would be taken at this moment. */
  hasRoom(): boolean
}

export const busyCode = 'passwords.busy'

const busy = (): AppError =>
  new AppError(busyCode, 503, 'Too many people are signing in at this moment. Try again shortly.', {
    retryAfterSeconds: 2,
  })

/** The same characters, however they were entered (NIST SP 800-63B-4 §3.1.1.2). */
export const normalized = (password: string): string => password.normalize('NFKC')

/**
 * Hashes by `@node-rs/argon2`, which takes a third of the time that `node:crypto` takes and gives its memory back. Both
 * would work on libuv's four threads, where tokens are signed: hence threads of our own, which give way to all others.
 */
export function openHashing(options: HashingOptions): Hashing {
  const limit = pLimit(options.concurrentHashes)
  const parameters = {
    algorithm: argon2id,
    memoryCost: options.argon2MemoryKib,
    timeCost: options.argon2Passes,
    parallelism: options.argon2Parallelism,
    outputLen: tagBytes,
  }
  const decoy = decoyOf(options)
  const threads = openHashingThreads()

  const hasRoom = (): boolean =>
    limit.activeCount + limit.pendingCount < options.concurrentHashes + options.waitingHashes
  const queued = async (task: Task): Promise<string | boolean> => {
    if (!hasRoom()) throw busy()
    return await limit(threads.run, task)
  }

  return {
    hasRoom,
    hash: async (password) =>
      (await queued({ work: 'hash', password: normalized(password), parameters })) as PasswordHash,

    async verify(password, stored) {
      const matches = await queued({
        work: 'verify',
        password: normalized(password),
        stored: stored ?? decoy,
      })
      return matches === true && stored !== undefined
    },

    isOutdated(stored) {
      const { algorithm, memoryCost, timeCost, parallelism } = parseOptions(stored)
      return (
        algorithm !== argon2id ||
        memoryCost !== options.argon2MemoryKib ||
        timeCost !== options.argon2Passes ||
        parallelism !== options.argon2Parallelism
      )
    },
  }
}

/** A hash of nothing anybody knows: checking a password against it costs what checking a stored one does. */
function decoyOf({ argon2MemoryKib, argon2Passes, argon2Parallelism }: HashingOptions): string {
  const base64 = (length: number): string => randomBytes(length).toString('base64').replace(/=+$/, '')
  const cost = `m=${argon2MemoryKib},t=${argon2Passes},p=${argon2Parallelism}`
  return `$argon2id$v=19$${cost}$${base64(saltBytes)}$${base64(tagBytes)}`
}
