import { createHash } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import { canonicalBox } from './address.ts'
import type { MailMessage } from './mail.ts'
import type { settings } from './settings.ts'
import type { MailStore, Window } from './store.ts'

export interface CapDependencies {
  readonly store: MailStore
  readonly clock: Clock
  readonly settings: SettingValues<typeof settings>
}

/** Counts a mail in the transaction that sends it; false where it is one too many. */
export type Admit = (db: DatabaseTransaction, message: MailMessage) => Promise<boolean>

const hour = 3_600
const day = 86_400

/** Not reversible: strangers type addresses of people who have nothing to do with us. */
const keyOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')

/** By address and by account, each by hour and by day. */
export const openCaps =
  ({ store, clock, settings }: CapDependencies): Admit =>
  async (db, { to, userId, isNotice = false }) => {
    const { addressPerHour, addressPerDay, accountPerHour, accountPerDay } = settings
    const kind = isNotice ? 'notice' : 'mail'
    const box = canonicalBox(to)
    const windows: Window[] = [
      { key: keyOf(kind, 'address', 'hour', box), limit: addressPerHour, seconds: hour },
      { key: keyOf(kind, 'address', 'day', box), limit: addressPerDay, seconds: day },
    ]
    if (userId !== undefined) {
      windows.push(
        { key: keyOf(kind, 'account', 'hour', userId), limit: accountPerHour, seconds: hour },
        { key: keyOf(kind, 'account', 'day', userId), limit: accountPerDay, seconds: day },
      )
    }
    const now = clock.now()
    // The shorter window first: what it refuses does not use up the longer one.
    for (const window of windows) if (!(await store.count(db, window, now))) return false
    return true
  }
