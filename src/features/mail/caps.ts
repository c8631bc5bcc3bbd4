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

/** `refused-again` where another one was refused in the same hour or day before. */
export type Admission = 'admitted' | 'refused' | 'refused-again'

/** Counts a mail in the transaction that sends it. */
export type Admit = (db: DatabaseTransaction, message: MailMessage) => Promise<Admission>

const hour = 3_600
const day = 86_400

/** Not reversible: strangers type addresses of people who have nothing to do with us. */
const keyOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')

/**
 * Whoever uses up one kind of mail keeps no other from its receiver, such as the way back into his account. The mails of
 * one purpose begin alike: `address-change` and `address-taken` are of one kind.
 */
const kindOf = ({ isNotice = false, isVouched = false, template }: MailMessage): readonly string[] => {
  if (isNotice) return ['notice']
  return [isVouched ? 'vouched' : 'mail', template.split('-')[0] ?? template]
}

/** By address and by account, each by hour and by day. */
export const openCaps =
  ({ store, clock, settings }: CapDependencies): Admit =>
  async (db, message) => {
    const { to, userId } = message
    const { addressPerHour, addressPerDay, accountPerHour, accountPerDay } = settings
    const kind = kindOf(message)
    const box = canonicalBox(to)
    const windows: Window[] = [
      { key: keyOf(...kind, 'address', 'hour', box), limit: addressPerHour, seconds: hour },
      { key: keyOf(...kind, 'address', 'day', box), limit: addressPerDay, seconds: day },
    ]
    if (userId !== undefined) {
      windows.push(
        { key: keyOf(...kind, 'account', 'hour', userId), limit: accountPerHour, seconds: hour },
        { key: keyOf(...kind, 'account', 'day', userId), limit: accountPerDay, seconds: day },
      )
    }
    const now = clock.now()
    // The shorter window first: what it refuses does not use up the longer one.
    for (const window of windows) {
      if (await store.count(db, window, now)) continue
      const first = { key: keyOf('refused', window.key), limit: 1, seconds: window.seconds }
      return (await store.count(db, first, now)) ? 'refused' : 'refused-again'
    }
    return 'admitted'
  }
