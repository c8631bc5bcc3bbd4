import { z } from 'zod'
import { personKey } from '../../kernel/fields.ts'
import { commandLineActor } from '../../kernel/http.ts'
import type { Command, CommandDefinition, FeatureDefinition } from '../feature.ts'
import { describeBrowser } from './browser.ts'
import { publicId, type SessionFeatureDependencies, type SessionRecord, type Sessions } from './sessions.ts'

const userInput = { user: personKey }

const listCommand: CommandDefinition = {
  words: ['sessions', 'list'],
  documentation: 'List where a user is signed in.',
  input: userInput,
}

const endCommand: CommandDefinition = {
  words: ['sessions', 'end'],
  documentation: 'Sign a user out of one browser, and end every token that was given in that session.',
  input: {
    session: {
      schema: z.string().trim().min(1).max(100),
      documentation: 'The session, as sessions list shows it.',
    },
  },
}

const endAllCommand: CommandDefinition = {
  words: ['sessions', 'end-all'],
  documentation: 'Sign a user out everywhere, and end every token he has given.',
  input: userInput,
}

/** What the feature is, known without a database. */
export const sessionsDefinition: FeatureDefinition = {
  name: 'sessions',
  documentation: 'Where people are signed in.',
  commands: [listCommand, endCommand, endAllCommand],
}

type Dependencies = Pick<SessionFeatureDependencies, 'getUser' | 'clientName'> & {
  readonly sessions: Sessions
}

const by = { actor: commandLineActor }

export const sessionCommands = ({ sessions, getUser, clientName }: Dependencies): readonly Command[] => {
  const userOf = async (key: unknown): Promise<string> => (await getUser(String(key))).id

  return [
    {
      ...listCommand,
      async run({ user }) {
        const found = await sessions.list(await userOf(user))
        const json = await Promise.all(found.map((session) => rowOf(session, clientName)))
        const lines = json.map(({ id, signedInAt, lastUsedAt, device, applications }) =>
          [id, signedInAt, lastUsedAt, device, applications.join(', ')].join('  ').trimEnd(),
        )
        return { text: lines.length === 0 ? 'Not signed in anywhere.' : lines.join('\n'), json }
      },
    },
    {
      ...endCommand,
      async run({ session }) {
        await sessions.end(String(session), by)
        return { text: 'The session has ended.', json: { ended: session } }
      },
    },
    {
      ...endAllCommand,
      async run({ user }) {
        const userId = await userOf(user)
        const count = (await sessions.list(userId)).length
        await sessions.endAll(userId, by)
        return { text: 'The user is signed out everywhere.', json: { sessions: count } }
      },
    },
  ]
}

async function rowOf(session: SessionRecord, clientName: Dependencies['clientName']) {
  const { uid, signedInAt, lastUsedAt, kept, amr, userAgent, address, clientIds } = session
  const { browser, system } = await describeBrowser(userAgent)
  const names = await Promise.all(clientIds.map(async (id) => (await clientName(id)) ?? id))
  return {
    id: publicId(uid),
    signedInAt: signedInAt.toISOString(),
    lastUsedAt: lastUsedAt.toISOString(),
    kept,
    amr,
    ...(address !== undefined && { address }),
    device: [browser, system].filter((part) => part !== undefined).join(', ') || 'unknown browser',
    applications: names,
  }
}
