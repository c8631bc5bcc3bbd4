/**
 * Owns telling people what was changed on their account, and ending what was signed in before such a change.
 * Does not own the changes: each feature says what happened, in its own transaction.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { Browser } from '../../kernel/http.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { Attempts } from '../attempts/index.ts'
import type { Feature, Kept } from '../feature.ts'
import type { Mail, MailFact } from '../mail/index.ts'
import type { Notices } from './notices.ts'
import { findOwner } from './store.ts'

export type { AccountChange, Notices } from './notices.ts'

export interface NoticeDependencies {
  readonly clock: Clock
  readonly issuer: string
  readonly mail: Mail
  readonly attempts: Pick<Attempts, 'endOfUser' | 'requireOpen'>
  readonly endEverything: (db: DatabaseTransaction, userId: string) => Promise<void>
  readonly endOthers: (db: DatabaseTransaction, userId: string, keep: Kept) => Promise<void>
  readonly describeBrowser: (userAgent: string) => Promise<Browser>
  /** Every trusted device is asked for a second step again. */
  readonly forgetDevices: (db: DatabaseTransaction, userId: string) => Promise<void>
  /** A change of address that waits for its proof ends: whoever asked for it may be whom the change is to shut out. */
  readonly endPendingAddress: (db: DatabaseTransaction, userId: string) => Promise<void>
}

export function openNotices(dependencies: NoticeDependencies): Feature & { readonly notices: Notices } {
  const tell = telling(dependencies)
  return {
    name: 'notices',
    notices: {
      tell,
      async credentialsChanged(db, { keep = {}, madeIn = keep, ...change }) {
        await endBefore(dependencies, { db, userId: change.userId, keep, madeIn })
        await tell(db, change)
      },
    },
  }
}

interface End {
  readonly db: DatabaseTransaction
  readonly userId: string
  readonly keep: Kept
  readonly madeIn: Kept
}

async function endBefore(
  { attempts, endEverything, endOthers, forgetDevices, endPendingAddress }: NoticeDependencies,
  { db, userId, keep, madeIn }: End,
): Promise<void> {
  const { sessionUid, interactionUid } = keep
  const kept = [sessionUid, interactionUid].filter((uid) => uid !== undefined)
  if (kept.length === 0) await endEverything(db, userId)
  else await endOthers(db, userId, keep)
  await attempts.requireOpen(db, userId, {
    attempt: madeIn.interactionUid && hashSecret(madeIn.interactionUid),
    sessionUid: madeIn.sessionUid,
  })
  // What is remembered for a page belongs to the hash of what it is part of.
  await attempts.endOfUser(db, userId, kept.map(hashSecret))
  await forgetDevices(db, userId)
  await endPendingAddress(db, userId)
}

const telling =
  ({ clock, issuer, mail, describeBrowser }: NoticeDependencies): Notices['tell'] =>
  async (db, { userId, what, params = {}, request, to, locale }) => {
    if (!mail.available) return
    const owner = await findOwner(db, userId)
    const addresses = new Set(to ?? (owner?.email ? [owner.email] : []))
    if (addresses.size === 0) return
    const facts = [
      { label: 'mail.notice.when', value: clock.now() },
      ...whereFrom(await describeBrowser(request?.userAgent ?? '')),
    ]
    for (const address of [...addresses].toSorted()) {
      await mail.send(
        {
          to: address,
          userId,
          template: 'notice',
          text: { key: `notice.${what}`, params },
          facts,
          ...(owner?.zoneinfo && { zone: owner.zoneinfo }),
          link: `${issuer}/account/security`,
          locale: owner?.locale ?? locale,
          isNotice: true,
        },
        db,
      )
    }
  }

function whereFrom({ browser, system }: Browser): readonly MailFact[] {
  const label = 'mail.notice.where'
  if (browser !== undefined && system !== undefined) {
    return [{ label, value: { key: 'mail.notice.browser', params: { browser, system } } }]
  }
  const name = browser ?? system
  return name === undefined ? [] : [{ label, value: name }]
}
