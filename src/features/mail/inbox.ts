import { after, type Clock } from '../../kernel/clock.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Inbox, InboxMail, QueuedMail, RenderedMail } from './mail.ts'
import type { CapturedRow, MailStore } from './store.ts'

const shown = 200
const keptSeconds = 7 * 86_400

export interface CapturedMails extends Inbox {
  capture(mail: QueuedMail, words: RenderedMail): Promise<void>
  /** Removes at most one batch of old ones; true when more may be left. */
  removeOld(): Promise<boolean>
}

const place = (id: string): string => `captured_mail:${id}:sealed`

export function openInbox({
  store,
  sealing,
  clock,
}: {
  readonly store: MailStore
  readonly sealing: Sealing
  readonly clock: Clock
}): CapturedMails {
  const opened = ({ id, sealed, createdAt }: CapturedRow): InboxMail => ({
    ...(JSON.parse(sealing.open(sealed, place(id))) as Omit<InboxMail, 'id' | 'createdAt'>),
    id,
    createdAt,
  })

  return {
    async capture({ id, to, link, code, at }, words) {
      const sealed = sealing.seal(JSON.stringify({ ...words, to, link, code }), place(id))
      await store.capture({ id, sealed, createdAt: at })
    },
    list: async () => (await store.newest(shown)).map(opened),
    async find(id) {
      const row = await store.findCaptured(id)
      return row === null ? undefined : opened(row)
    },
    removeOld: () => store.removeCapturedBefore(after(clock.now(), -keptSeconds)),
  }
}
