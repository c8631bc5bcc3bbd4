import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Browser, RequestFacts } from '../../kernel/http.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { settings } from './settings.ts'

/** A browser in which one person is not asked for a second step. */
export interface TrustedDevice {
  readonly id: string
  readonly deviceHash: string
  readonly userAgent: string
  readonly createdAt: Date
  /** When it last spared the person the second step. */
  readonly lastUsedAt: Date | null
  readonly expiresAt: Date
}

/** Who trusts which browser. */
export interface Trusting {
  readonly userId: string
  /** The sign-in in which he proved both steps. */
  readonly attempt: string
  /** The session that stood for the first of them. */
  readonly sessionUid?: string | undefined
  /** The identifier in the browser's device cookie. */
  readonly device: string
  readonly request: RequestFacts
}

/** Browsers in which people are not asked for a second step. */
export interface TrustedDevices {
  /** Whether people may trust a browser at all. */
  readonly offered: boolean
  /** How long a browser is trusted, in seconds. */
  readonly trustSeconds: number
  /** Whether this person trusts this browser at the moment; noted as a use. */
  isTrusted(userId: string, device: string): Promise<boolean>
  /**
   * Trusts a browser from now on, under a new identifier that is returned and takes the place of the one in its cookie:
   * whoever copied that one before gains nothing. Called where the person has just proven both steps. Throws
   * `attempts.ended` (409) where the sign-in was ended since.
   */
  remember(trusting: Trusting): Promise<string>
  list(userId: string): Promise<readonly TrustedDevice[]>
  /** Throws `trusted-devices.not_found` (404). */
  revoke(userId: string, id: string, request: RequestFacts): Promise<void>
  /** In the transaction of a change of credentials. */
  forgetAll(db: DatabaseTransaction, userId: string): Promise<void>
  forget(db: DatabaseTransaction, userId: string, deviceHash: string): Promise<void>
  /** All but one. */
  forgetOthers(db: DatabaseTransaction, userId: string, deviceHash: string | undefined): Promise<void>
}

export interface TrustedDeviceDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly attempts: Pick<Attempts, 'requireOpen'>
  readonly settings: SettingValues<typeof settings>
  /** A browser has a new identifier: whatever else is remembered under the old one goes along. */
  readonly renamed: (db: DatabaseTransaction, from: string, to: string) => Promise<void>
  readonly describeBrowser: (userAgent: string) => Promise<Browser>
}

export const deviceNotFound = (): AppError =>
  new AppError(
    'trusted-devices.not_found',
    404,
    'There is no such trusted device; it may have been removed meanwhile.',
  )
