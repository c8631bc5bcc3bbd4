import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import { hashSecret, isSecret } from '../../kernel/ids.ts'
import { answersPerMailedCode, isSameCode, readMailedCode } from '../../kernel/mailed-codes.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Kept } from '../feature.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import {
  type Addresses,
  type AddressLink,
  addressTaken,
  codeEnded,
  codeIncomplete,
  codePurpose,
  linkEnded,
  type SentCode,
  wrongCode,
} from './addresses.ts'
import type { AddressStore, StoredProof } from './store.ts'

export interface ConfirmingDependencies {
  readonly storage: Pick<Storage, 'transaction' | 'touch'>
  readonly store: AddressStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly challenges: Challenges
  readonly throttle: Throttle
}

type Confirming = Pick<Addresses, 'confirmByCode' | 'readLink' | 'confirmByLink'>

export function confirming(dependencies: ConfirmingDependencies): Confirming {
  const { store, clock, users, challenges, throttle } = dependencies
  const use = using(dependencies)

  async function open(tokenHash: string): Promise<(AddressLink & { proof: StoredProof }) | undefined> {
    const proof = await store.findByToken(tokenHash, clock.now())
    const user = proof === undefined ? undefined : await users.find(proof.userId)
    if (proof === undefined || !users.isActive(user) || user.email !== proof.previousEmail) return undefined
    return { user, email: proof.email, isChange: proof.email !== user.email, proof }
  }

  async function openLink(token: string) {
    const opened = isSecret(token) ? await open(hashSecret(token)) : undefined
    if (opened === undefined) throw linkEnded()
    return opened
  }

  return {
    async confirmByCode({ userId, owner, request }, text) {
      const code = readMailedCode(text)
      if (code === undefined) throw codeIncomplete()
      // Whoever asks for one code after the other guesses no faster for it.
      const subject = { account: `addresses ${userId}`, address: request.address }
      const admission = await throttle.admit(subject)
      const found = await challenges.attempt(owner, codePurpose, answersPerMailedCode)
      if (found === undefined || found.userId !== userId) throw codeEnded()
      const sent = found.state as SentCode
      if (!isSameCode(code, sent.code)) throw wrongCode()
      const opened = await open(sent.tokenHash)
      if (opened === undefined || !(await use(opened.proof, request))) throw codeEnded()
      await Promise.all([challenges.end(owner, codePurpose), admission.succeeded(userId)])
      return await users.get(userId)
    },
    async readLink(token) {
      const { proof: _, ...link } = await openLink(token)
      return link
    },
    async confirmByLink(token, request) {
      const { proof, ...link } = await openLink(token)
      if (!(await use(proof, request))) throw linkEnded()
      return link
    },
  }
}

/** Consumes the proof and gives the user the address, both or neither. False for all but one of those who try. */
const using = ({ storage, store, clock, audit, users }: ConfirmingDependencies) => {
  return async (proof: StoredProof, request: RequestFacts): Promise<boolean> => {
    const { userId, email, previousEmail, sessionUid } = proof
    const actor = { kind: 'user', userId } as const
    const keep: Kept = sessionUid === null ? {} : { sessionUid }
    return await translated(
      storage.transaction(async (db) => {
        // Changes of users come one after the other, so that none comes between the look at his address and the next.
        await storage.touch(db, 'users')
        if (!(await store.consume(db, proof, clock.now()))) return false
        const details = email === previousEmail ? { emailVerified: true } : { email, emailVerified: true }
        await users.update(userId, details, { actor, request, db, keep })
        const action = email === previousEmail ? 'addresses.confirmed' : 'addresses.changed'
        await audit.recordIn(db, { action, outcome: 'success', actor, userId, request })
        return true
      }),
    )
  }
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw cause instanceof AppError && cause.code === 'users.email_taken' ? addressTaken() : cause
  }
}
