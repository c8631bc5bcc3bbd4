import type { UserId } from '../../kernel/ids.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { KeyedAuthenticator } from './store.ts'

/** The place of a key: it opens for this authenticator of this user alone. */
const placeOf = (userId: UserId, id: string): string => `totp_authenticator:${userId}:${id}:sealed_secret`

/** The key as it is stored; it opens for this authenticator of this user alone. */
export const sealKey = (
  sealing: Sealing,
  owner: { readonly userId: UserId; readonly id: string },
  key: string,
) => sealing.seal(key, placeOf(owner.userId, owner.id))

/** The key in Base32. Throws where it was sealed for another one. */
export const openKey = (sealing: Sealing, userId: UserId, { id, sealedSecret }: KeyedAuthenticator): string =>
  sealing.open(sealedSecret, placeOf(userId, id))
