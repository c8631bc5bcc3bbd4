import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { AppError, notFound } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { Command, CommandAnswer, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { QueuedMessage } from '../outbox/index.ts'
import { oneAddress } from './address.ts'
import { badAddress, type QueuedMail, type RenderMail } from './mail.ts'
import { fromPayload } from './queued.ts'
import type { Smtp } from './smtp.ts'

export interface MailOperations {
  readonly clock: Clock
  readonly smtp: Smtp | undefined
  readonly render: RenderMail
  readonly development: boolean
  readonly issuer: string
  list(): Promise<readonly QueuedMessage[]>
  retry(id: string | undefined): Promise<number>
}

const testCommand: CommandDefinition = {
  words: ['mail', 'test'],
  documentation:
    'Connect to the mail server, sign in and send one mail at once, and say in plain words what went wrong if it did.',
  input: { to: { schema: z.string().min(1).max(254), documentation: 'The address to send it to.' } },
}

const queueCommand: CommandDefinition = {
  words: ['mail', 'queue'],
  documentation: 'List the mails that wait or were given up, with what went wrong last.',
  input: {},
}

const retryCommand: CommandDefinition = {
  words: ['mail', 'retry'],
  documentation: 'Send what waits or was given up once more, at once: all of it, or one mail.',
  input: {
    id: {
      schema: z.string().min(1).max(100),
      documentation: 'The mail, as mail queue shows it.',
      optional: true,
    },
  },
}

/** What the feature is, known without a database. */
export const mailDefinition: FeatureDefinition = {
  name: 'mail',
  documentation: 'The mails that the server sends.',
  commands: [testCommand, queueCommand, retryCommand],
}

export const mailCommands = (operations: MailOperations): readonly Command[] => [
  { ...testCommand, run: ({ to }) => sendTest(operations, String(to)) },
  { ...queueCommand, run: async () => queueAnswer(await operations.list()) },
  {
    ...retryCommand,
    async run({ id }) {
      const count = await operations.retry(id === undefined ? undefined : String(id))
      if (count === 0 && id !== undefined) {
        throw notFound('mail.unknown', 'There is no such mail in the queue, or it is being sent just now.')
      }
      return {
        text:
          count === 0
            ? 'Nothing waits.'
            : `${mails(count)} due now; a running server sends them within seconds.`,
        json: { due: count },
      }
    },
  },
]

const mails = (count: number): string => (count === 1 ? 'One mail is' : `${count} mails are`)

async function sendTest(
  { clock, smtp, render, development, issuer }: MailOperations,
  to: string,
): Promise<CommandAnswer> {
  if (oneAddress(to) === undefined) throw badAddress()
  if (smtp === undefined) {
    if (!development) throw noServer()
    return {
      text: `No mail server is configured. In development mode nothing is sent: mails are shown at ${issuer}/inbox. Set LATCHKEY_MAIL_SMTP_URL to send them as well.`,
      json: { sent: false, inbox: `${issuer}/inbox` },
    }
  }
  await smtp.verify()
  const mail: QueuedMail = { id: newId(), to, template: 'test', at: clock.now() }
  await smtp.send(mail, await render(mail), AbortSignal.timeout(60_000))
  const { host, port } = smtp.server
  return { text: `${host}:${port} has taken the mail to ${to}.`, json: { sent: true, host, port } }
}

const noServer = (): AppError =>
  new AppError('mail.no_server', 503, 'No mail server is configured; set LATCHKEY_MAIL_SMTP_URL.')

function queueAnswer(queued: readonly QueuedMessage[]): CommandAnswer {
  const json = queued.map(({ id, payload, attempts, createdAt, availableAt, abandonedAt, lastError }) => {
    const { to, template } = fromPayload(payload)
    const state = abandonedAt === null ? 'waiting' : 'given up'
    return {
      id,
      to,
      template,
      state,
      attempts,
      createdAt,
      nextAt: abandonedAt === null ? availableAt : null,
      lastError,
    }
  })
  const lines = json.map(({ id, to, template, state, attempts, nextAt, lastError }) =>
    [
      `${id}  ${state}  ${template} to ${to}`,
      `    tried ${attempts === 1 ? 'once' : `${attempts} times`}${nextAt === null ? '' : `, next at ${nextAt.toISOString()}`}`,
      ...(lastError === null ? [] : [`    ${lastError}`]),
    ].join('\n'),
  )
  return { text: lines.length === 0 ? 'Nothing waits.' : lines.join('\n'), json }
}
