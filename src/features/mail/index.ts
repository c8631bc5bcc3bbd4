/**
 * Owns mail: who may be sent how many, the way to the mail server, and the inbox of development mode.
 * Does not own what is said (each feature's messages), how it looks (`views/mail`), nor that it is tried again (`outbox`).
 */
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { Log } from '../../kernel/log.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Delivery, Feature } from '../feature.ts'
import type { Outbox, OutboxQueue } from '../outbox/index.ts'
import { oneAddress } from './address.ts'
import { openCaps } from './caps.ts'
import { mailCommands } from './commands.ts'
import { type CapturedMails, openInbox } from './inbox.ts'
import {
  badAddress,
  type Inbox,
  type Mail,
  type MailMessage,
  type QueuedMail,
  type RenderMail,
} from './mail.ts'
import { fromPayload, toPayload } from './queued.ts'
import type { settings } from './settings.ts'
import { openSmtp, type Smtp } from './smtp.ts'
import { type MailStore, openMailStore } from './store.ts'

export { mailDefinition } from './commands.ts'
export type {
  Inbox,
  InboxMail,
  Mail,
  MailFact,
  MailMessage,
  QueuedMail,
  RenderedMail,
  RenderMail,
} from './mail.ts'

export interface MailDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly sealing: Sealing
  readonly audit: Audit
  readonly log: Log
  readonly outbox: Outbox
  readonly queue: OutboxQueue
  readonly settings: SettingValues<typeof settings>
  readonly issuer: string
  /** Of this machine alone: mails are shown on the inbox page, whether or not they are sent. */
  readonly development: boolean
  readonly brandName: string
  readonly render: RenderMail
}

export interface MailFeature extends Feature {
  readonly mail: Mail
  /** In development mode alone. */
  readonly inbox: Inbox | undefined
}

const topic = 'mail'

interface Parts extends MailDependencies {
  readonly store: MailStore
  readonly smtp: Smtp | undefined
  readonly captured: CapturedMails | undefined
}

export function openMail(dependencies: MailDependencies): MailFeature {
  const { storage, clock, queue, development } = dependencies
  const store = openMailStore(storage)
  const smtp = openSmtp(dependencies)
  const captured = development ? openInbox({ ...dependencies, store }) : undefined
  const parts = { ...dependencies, store, smtp, captured }

  return {
    name: 'mail',
    mail: { available: isAvailable(parts), send: sending(parts) },
    inbox: captured,
    deliveries: [delivery(parts)],
    commands: mailCommands({
      ...parts,
      list: () => queue.list(topic, 1_000),
      retry: (id) => queue.retry(topic, id),
    }),
    jobs: [
      {
        name: 'mail.remove_counters',
        everySeconds: 3_600,
        run: async () => ({ more: await store.removeEnded(clock.now()) }),
      },
      ...(captured === undefined
        ? []
        : [
            {
              name: 'mail.remove_captured',
              everySeconds: 3_600,
              run: async () => ({ more: await captured.removeOld() }),
            },
          ]),
    ],
  }
}

const isAvailable = ({ smtp, captured }: Parts): boolean => smtp !== undefined || captured !== undefined

function sending(parts: Parts): Mail['send'] {
  const { storage, clock, audit, log, outbox, issuer } = parts
  const admit = openCaps(parts)

  async function put(db: DatabaseTransaction, message: MailMessage): Promise<void> {
    const { template, userId } = message
    const admission = await admit(db, message)
    if (admission !== 'admitted') {
      log.warn({ template, userId }, 'a mail was not sent: too many went to this address or account')
      // Once: strangers could fill the record otherwise.
      if (admission === 'refused-again') return
      await audit.recordIn(db, {
        action: 'mail.capped',
        outcome: 'failure',
        detail: { template },
        ...(userId !== undefined && { userId }),
      })
      return
    }
    await outbox.put(db, topic, toPayload({ ...message, id: newId(), at: clock.now() }))
  }

  return async (message, db) => {
    const to = oneAddress(message.to)
    if (to === undefined) throw badAddress()
    if (message.link !== undefined && !message.link.startsWith(`${issuer}/`)) {
      throw new Error('A mail leads to an address that is not ours.')
    }
    if (!isAvailable(parts)) {
      log.warn({ template: message.template }, 'a mail was not sent: no mail server is configured')
      return
    }
    if (db === undefined) await storage.transaction((own) => put(own, message))
    else await put(db, message)
  }
}

const delivery = ({ captured, smtp, render }: Parts): Delivery => ({
  topic,
  async deliver(payload, signal) {
    const mail: QueuedMail = fromPayload(payload)
    const words = await render(mail)
    await captured?.capture(mail, words)
    if (smtp !== undefined) await smtp.send(mail, words, signal)
    else if (captured === undefined) {
      throw new AppError('mail.no_server', 503, 'No mail server is configured; set LATCHKEY_MAIL_SMTP_URL.')
    }
  },
})
