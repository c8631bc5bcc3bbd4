import { z } from 'zod'
import { notFound } from '../../kernel/errors.ts'
import { personKey } from '../../kernel/fields.ts'
import type { Command, CommandAnswer, CommandDefinition, FeatureDefinition } from '../feature.ts'
import { type Parts, topic } from './application-logouts.ts'
import { type StoredTelling, states } from './telling.ts'

const shown = 1_000
const name = z.string().trim().min(1).max(100)

const listCommand: CommandDefinition = {
  words: ['logouts', 'list'],
  documentation:
    'List which applications were told that somebody signed out, the newest first, and what went wrong.',
  input: {
    client: {
      schema: name,
      documentation: 'Only what this client is told, by its identifier.',
      optional: true,
    },
    user: { ...personKey, optional: true },
    session: { schema: name, documentation: 'Only this session, as sessions list shows it.', optional: true },
    state: {
      schema: z.enum(states),
      documentation: `Only what is in this state: ${states.join(', ')}.`,
      optional: true,
    },
  },
}

const retryCommand: CommandDefinition = {
  words: ['logouts', 'retry'],
  documentation: 'Tell once more, at once, what waits, was refused or was given up: all of it, or one.',
  input: { id: { schema: name, documentation: 'The one, as logouts list shows it.', optional: true } },
}

/** What the feature is, known without a database. */
export const applicationLogoutsDefinition: FeatureDefinition = {
  name: 'application-logouts',
  documentation: 'What applications are told when somebody signs out.',
  commands: [listCommand, retryCommand],
}

type Dependencies = Pick<Parts, 'store' | 'queue' | 'getUser'> & {
  readonly retry: (id?: string) => Promise<number>
}

export const logoutCommands = ({ store, queue, getUser, retry }: Dependencies): readonly Command[] => [
  {
    ...listCommand,
    async run({ client, user, session, state }) {
      const filter = {
        ...(client !== undefined && { clientId: String(client) }),
        ...(user !== undefined && { userId: (await getUser(String(user))).id }),
        ...(session !== undefined && { sessionUid: String(session).replace(/^ses_/, '') }),
        ...(state !== undefined && { state: String(state) }),
      }
      return listed(await store.list(filter, shown), await nextTries(queue))
    },
  },
  {
    ...retryCommand,
    async run({ id }) {
      const count = await retry(id === undefined ? undefined : String(id))
      if (count === 0 && id !== undefined)
        throw notFound(
          'application-logouts.unknown',
          'There is no such logout that an application was not told.',
        )
      const text =
        count === 0 ? 'Nothing waits.' : `Due now: ${count}. A running server tells within seconds.`
      return { text, json: { due: count } }
    },
  },
]

/** When the outbox tries each of those that wait. */
async function nextTries(queue: Parts['queue']): Promise<ReadonlyMap<string, Date>> {
  const messages = await queue.list(topic, shown)
  return new Map(messages.map(({ payload, availableAt }) => [(payload as { id: string }).id, availableAt]))
}

function listed(tellings: readonly StoredTelling[], next: ReadonlyMap<string, Date>): CommandAnswer {
  const json = tellings.map(({ sid: _, sessionUid, triesUntil: __, ...telling }) => ({
    ...telling,
    session: `ses_${sessionUid}`,
    nextAt: telling.state === 'waiting' ? (next.get(telling.id) ?? null) : null,
  }))
  const lines = json.map(({ id, state, clientId, userId, session, attempts, createdAt, nextAt, reason }) =>
    [
      `${id}  ${state}  ${clientId}  ${userId}  ${session}`,
      `    ended ${createdAt.toISOString()}, tried ${attempts === 1 ? 'once' : `${attempts} times`}${nextAt === null ? '' : `, next at ${nextAt.toISOString()}`}`,
      ...(reason === null ? [] : [`    ${reason}`]),
    ].join('\n'),
  )
  if (lines.length === 0) return { text: 'No application was told of a logout lately.', json }
  const more =
    lines.length < shown
      ? []
      : [`These are the newest ${shown}. Name a client, a user, a session or a state to see others.`]
  return { text: [...lines, ...more].join('\n'), json }
}
