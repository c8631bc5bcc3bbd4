import { newSecret, type UserId } from '../../kernel/ids.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { lockUser } from '../../storage/user-lock.ts'
import { alreadyAdded, type OwnedPasskey, type Passkey } from './passkeys.ts'

const handleBytes = 64

/** The use of a passkey, as the authenticator told it. */
export interface Use {
  readonly counter: number
  readonly backedUp: boolean
  readonly multiDevice: boolean
  readonly at: Date
}

/** What the offer of a passkey depends on. */
export interface OfferState {
  readonly hasOne: boolean
  /** Of every relying party. */
  readonly total: number
  readonly deferredUntil: Date | undefined
}

type Row = Omit<Passkey, 'userId' | 'counter' | 'transports' | 'lastUsedAt'> & {
  readonly userId: string
  readonly counter: bigint
  readonly transports: string
  readonly lastUsedAt: Date | null
}

const passkeyOf = ({ userId, counter, transports, lastUsedAt, ...row }: Row): Passkey => ({
  ...row,
  userId: userId as UserId,
  counter: Number(counter),
  transports: JSON.parse(transports) as string[],
  lastUsedAt: lastUsedAt ?? undefined,
})

const openPasskeyRows = ({ db }: Storage) => ({
  async find(id: string): Promise<OwnedPasskey | undefined> {
    const owner = { select: { disabledAt: true, passkeyOwner: { select: { handle: true } } } }
    const found = await db.passkey.findUnique({ where: { id }, include: { user: owner } })
    if (found === null) return undefined
    const { user, ...row } = found
    return {
      ...passkeyOf(row),
      handle: user.passkeyOwner?.handle,
      ownerActive: user.disabledAt === null,
    }
  },

  /** The oldest first. */
  async list(userId: string, within: DatabaseTransaction = db): Promise<readonly Passkey[]> {
    const rows = await within.passkey.findMany({
      where: { userId },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    })
    return rows.map(passkeyOf)
  },

  has: async (userId: string, rpId: string): Promise<boolean> =>
    (await db.passkey.findFirst({ where: { userId, rpId }, select: { id: true } })) !== null,

  /** Throws `passkeys.already_added` (409) for a credential id that is known, whoever's it is (WebAuthn Level 3 §7.1). */
  async insert(
    within: DatabaseTransaction,
    { transports, lastUsedAt: _, ...passkey }: Passkey,
  ): Promise<void> {
    try {
      await within.passkey.create({ data: { ...passkey, transports: JSON.stringify(transports) } })
    } catch (error) {
      throw isUniqueViolation(error) ? alreadyAdded() : error
    }
  },

  /**
   * One conditional write: true where the passkey is still there, its user active, its backup eligibility as before, and
   * its counter has grown, or stays zero in an authenticator that has none (WebAuthn Level 3 §6.1.1).
   */
  async recordUse(id: string, { counter, backedUp, multiDevice, at }: Use): Promise<boolean> {
    const { count } = await db.passkey.updateMany({
      where: {
        id,
        multiDevice,
        user: { disabledAt: null },
        counter: counter === 0 ? 0 : { lt: counter },
      },
      data: { counter, backedUp, lastUsedAt: at },
    })
    return count === 1
  },

  rename: async (userId: string, id: string, name: string): Promise<boolean> =>
    (await db.passkey.updateMany({ where: { id, userId }, data: { name } })).count === 1,

  remove: async (within: DatabaseTransaction, userId: string, id: string): Promise<boolean> =>
    (await within.passkey.deleteMany({ where: { id, userId } })).count === 1,
})

const openOwnerRows = (storage: Storage) => {
  const { db } = storage
  const findHandle = async (userId: string): Promise<string | undefined> =>
    (await db.passkeyOwner.findUnique({ where: { userId } }))?.handle

  /** The user handle that authenticators keep; made when it is first asked for, by one of all who ask. */
  async function handleOf(userId: string): Promise<string> {
    const known = await findHandle(userId)
    if (known !== undefined) return known
    try {
      await db.passkeyOwner.create({ data: { userId, handle: newSecret(handleBytes) } })
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
    }
    return await handleOf(userId)
  }

  return { findHandle, handleOf, ...openOffers(storage, handleOf) }
}

const openOffers = ({ db, dialect }: Storage, handleOf: (userId: string) => Promise<string>) => ({
  /** Changes of one person's passkeys follow one another from here to the end of the transaction. */
  lock: (within: DatabaseTransaction, userId: string): Promise<void> => lockUser(dialect, within, userId),

  async offerState(userId: string, rpId: string): Promise<OfferState> {
    const owner = await db.user.findUnique({
      where: { id: userId },
      select: {
        passkeyOwner: { select: { offerDeferredUntil: true } },
        passkeys: { select: { rpId: true } },
      },
    })
    return {
      hasOne: owner?.passkeys.some((passkey) => passkey.rpId === rpId) ?? false,
      total: owner?.passkeys.length ?? 0,
      deferredUntil: owner?.passkeyOwner?.offerDeferredUntil ?? undefined,
    }
  },

  async deferOffer(userId: string, offerDeferredUntil: Date): Promise<void> {
    await handleOf(userId)
    await db.passkeyOwner.updateMany({ where: { userId }, data: { offerDeferredUntil } })
  },
})

export const openPasskeyStore = (storage: Storage) => ({
  ...openPasskeyRows(storage),
  ...openOwnerRows(storage),
})
export type PasskeyStore = ReturnType<typeof openPasskeyStore>
