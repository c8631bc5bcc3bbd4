import type { AppError } from '../../kernel/errors.ts'
import { invalidInput } from '../../kernel/errors.ts'
import type { Text, TextParams } from '../../kernel/text.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'

/** A line such as "When: 3 May 2026 at 10:15": its label is a message, or a name that somebody gave it. */
export type MailFact = ({ readonly label: string } | { readonly name: string }) & {
  readonly value: string | Date | Text
}

/** A mail to one person, in his language. */
export interface MailMessage {
  /** One address; anything else is refused. */
  readonly to: string
  /** Whose mail it is, where it is about an account: mails are capped per account, too. */
  readonly userId?: string
  /** Its words: the messages `mail.<template>.subject`, `.text`, and where there are such `.button` and `.after`. */
  readonly template: string
  readonly model?: TextParams
  /** What says it, in place of the message `mail.<template>.text`. */
  readonly text?: Text
  /** What is listed below its words. */
  readonly facts?: readonly MailFact[]
  /** IANA, such as `Europe/Vienna`, for the times in it; UTC where absent. */
  readonly zone?: string
  /** An address of ours that its button leads to. */
  readonly link?: string
  /** A code to be typed. */
  readonly code?: string
  /** BCP 47; English where we lack it. */
  readonly locale?: string | undefined
  /** What was changed, told to the owner. Counted apart: whoever makes mails go out must not be able to silence it. */
  readonly isNotice?: boolean
  /** Asked for by who has proven something, or on a device of his. Counted apart: strangers must not use it up. */
  readonly isVouched?: boolean
}

/** Sends mail. */
export interface Mail {
  /** Whether mail can be sent at all: a server is configured, or development mode shows it on its inbox page. */
  readonly available: boolean
  /**
   * Puts it into the outbox, in the transaction of its cause where there is one. Beyond the caps nothing is sent and
   * nothing is said, since whoever causes mails must not learn how many others caused. Throws `mail.bad_address` (400).
   */
  send(message: MailMessage, db?: DatabaseTransaction): Promise<void>
}

/** A mail in the outbox: as it was to be sent, and when. */
export interface QueuedMail extends MailMessage {
  /** Of its Message-ID, the same in every attempt, so that a mail that arrives twice is known as one. */
  readonly id: string
  readonly at: Date
}

/** The words of a mail. */
export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Puts a mail into words, in its language. */
export type RenderMail = (mail: QueuedMail) => Promise<RenderedMail>

/** A mail that development mode shows. */
export interface InboxMail extends RenderedMail {
  readonly id: string
  readonly to: string
  readonly link: string | undefined
  readonly code: string | undefined
  readonly createdAt: Date
}

/** The mails of development mode. */
export interface Inbox {
  /** The newest ones, the newest first. */
  list(): Promise<readonly InboxMail[]>
  find(id: string): Promise<InboxMail | undefined>
}

export const badAddress = (): AppError =>
  invalidInput('mail.bad_address', 'This is not one e-mail address. Write it like name@example.com.', {
    field: 'email',
  })
