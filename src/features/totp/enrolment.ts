import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Challenge, Challenges } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Enrolment, Holder, Proof } from '../feature.ts'
import type { Notices } from '../notices/index.ts'
import { enrolmentUri, groupsOf, newKey, stepOf } from './codes.ts'
import { sealKey } from './keys.ts'
import { qrPicture } from './qr.ts'
import type { TotpStore } from './store.ts'
import {
  enrolmentOver,
  enrolmentSeconds,
  enrolmentTries,
  malformedInput,
  maximumAuthenticators,
  nameLength,
  tooMany,
  wrongCode,
} from './totp.ts'
import { nameOf, readCode } from './typed.ts'

export interface EnrolmentDependencies {
  readonly transaction: Storage['transaction']
  readonly store: TotpStore
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly notices: Notices
  readonly challenges: Challenges
  /** What apps show beside the codes. */
  readonly serviceName: string
}

const purpose = 'totp.enrolment'
const stateSchema = z.strictObject({ key: z.string() })
const inputSchema = z.strictObject({ code: z.string(), name: z.string() }).partial()

/** An authenticator counts once it has shown a code of the key that it was given. */
export function totpEnrolment(dependencies: EnrolmentDependencies): Enrolment {
  const { store, clock, challenges, serviceName } = dependencies
  const confirmed = confirming(dependencies)

  return {
    label: 'totp.enrolment',

    async begin(holder) {
      const { user } = holder
      const have = await store.count(user.id)
      if (have >= maximumAuthenticators) throw tooMany()
      const key = await keyShownTo(challenges, holder)
      const uri = enrolmentUri(serviceName, user.name, key)
      return {
        template: 'totp/enrol',
        model: { uri, qr: await qrPicture(uri), groups: groupsOf(key), number: have + 1, nameLength },
      }
    },

    async finish(holder, input) {
      const parsed = inputSchema.safeParse(input)
      if (!parsed.success) throw malformedInput(parsed.error)
      const { code: typed = '', name: given = '' } = parsed.data
      const code = readCode(typed)
      const name = nameOf(given)
      const key = keyOf(await challenges.attempt(holder.id, purpose, enrolmentTries), holder)
      if (key === undefined) {
        // What has failed too often is not shown again either.
        await challenges.end(holder.id, purpose)
        throw enrolmentOver()
      }
      const step = stepOf(key, code, clock.now())
      if (step === undefined) throw wrongCode()
      if (keyOf(await challenges.take(holder.id, purpose), holder) !== key) throw enrolmentOver()
      return await confirmed(holder, { key, name, step })
    },
  }
}

const keyOf = (challenge: Challenge | undefined, { user }: Holder): string | undefined =>
  challenge?.userId === user.id ? stateSchema.parse(challenge.state).key : undefined

/** The same one for as long as it waits for its code, so that a reload shows what was scanned. */
async function keyShownTo(challenges: Challenges, holder: Holder): Promise<string> {
  const waiting = keyOf(await challenges.find(holder.id, purpose), holder)
  if (waiting !== undefined) return waiting
  const key = newKey()
  const challenge = { userId: holder.user.id, state: { key }, ttlSeconds: enrolmentSeconds }
  await challenges.put(holder.id, purpose, challenge)
  return key
}

interface Confirmed {
  readonly key: string
  readonly name: string
  /** Of the code that confirmed it, which does not sign in again. */
  readonly step: number
}

const confirming =
  ({ transaction, store, clock, sealing, audit, notices }: EnrolmentDependencies) =>
  async ({ user, request, locale, keep }: Holder, { key, name, step }: Confirmed): Promise<Proof> => {
    const userId = user.id
    const id = newId()
    const at = clock.now()
    await transaction(async (db) => {
      await store.lock(db, userId)
      if ((await store.count(userId, db)) >= maximumAuthenticators) throw tooMany()
      const sealedSecret = sealKey(sealing, { userId, id }, key)
      await store.insert(db, { id, userId, name, sealedSecret, lastStep: step, createdAt: at })
      const actor = { kind: 'user', userId } as const
      await audit.recordIn(db, {
        action: 'totp.added',
        outcome: 'success',
        actor,
        userId,
        request,
        detail: { authenticator: id },
      })
      await notices.credentialsChanged(db, {
        userId,
        what: 'totp-added',
        params: { name },
        request,
        locale,
        keep,
      })
    })
    return { factor: 'totp', userId, amr: ['otp'], at }
  }
