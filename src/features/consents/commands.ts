import { z } from 'zod'
import { personKey } from '../../kernel/fields.ts'
import { commandLineActor } from '../../kernel/http.ts'
import type { Command, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { Connections } from './connections.ts'
import type { Consents } from './consents.ts'

const listCommand: CommandDefinition = {
  words: ['consents', 'list'],
  documentation: 'List the applications that a user has let in, and what each may do.',
  input: { user: personKey },
}

const withdrawCommand: CommandDefinition = {
  words: ['consents', 'withdraw'],
  documentation:
    'Take back what a user has allowed an application, and end every token that came of it at once.',
  input: {
    user: personKey,
    client: {
      schema: z.string().trim().min(1).max(100),
      documentation: 'The application, as consents list shows it.',
    },
  },
}

/** What the feature is, known without a database. */
export const consentsDefinition: FeatureDefinition = {
  name: 'consents',
  documentation: 'What people have allowed applications.',
  commands: [listCommand, withdrawCommand],
}

interface Dependencies {
  readonly connections: Connections
  readonly consents: Pick<Consents, 'withdraw'>
  readonly getUser: (key: string) => Promise<{ readonly id: string }>
}

export const consentCommands = ({ connections, consents, getUser }: Dependencies): readonly Command[] => {
  const userOf = async (key: unknown): Promise<string> => (await getUser(String(key))).id

  return [
    {
      ...listCommand,
      async run(input) {
        const found = await connections.list(await userOf(input.user))
        const json = found.map(({ clientId, name, since, scopes, resources, offlineAccess }) => ({
          clientId,
          name,
          since: since.toISOString(),
          scopes: scopes.map((scope) => scope.name),
          resources: resources.map(
            (api) => `${api.name}: ${api.scopes.map((scope) => scope.name).join(' ')}`,
          ),
          offlineAccess,
        }))
        const lines = json.map((each) =>
          [each.clientId, each.since, each.name, [...each.scopes, ...each.resources].join(' ')].join('  '),
        )
        return { text: lines.length === 0 ? 'No application has access.' : lines.join('\n'), json }
      },
    },
    {
      ...withdrawCommand,
      async run(input) {
        const clientId = String(input.client)
        await consents.withdraw({ userId: await userOf(input.user), clientId }, { actor: commandLineActor })
        return { text: 'The application has no access any more.', json: { withdrawn: clientId } }
      },
    },
  ]
}
