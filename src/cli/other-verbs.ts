import type { CommandDefinition } from '../features/feature.ts'
import { AppError } from '../kernel/errors.ts'
import { parseInput } from '../kernel/input.ts'
import { acceptOptions } from './faults.ts'
import { withFeatures } from './features.ts'
import { flagOf, hiddenFields, inputOf, optionsOf } from './options.ts'
import { jsonText } from './print.ts'
import { readHidden } from './prompt.ts'
import { jsonOption, type Verb } from './verb.ts'

/** The verb of a feature's command. */
export const commandVerb = ({ words, documentation, input: fields }: CommandDefinition): Verb => ({
  words,
  documentation,
  options: [...optionsOf(fields, 'new'), jsonOption],
  async run({ ports, given, json }) {
    const values = inputOf(fields, given)
    const hidden = await readHidden(ports, fields, hiddenFields(fields, given))
    const input = acceptOptions(parseInput(fields, { ...values, ...hidden }), flagOf(fields))
    await withFeatures(ports, async (features) => {
      const commands = features.flatMap((feature) => feature.commands ?? [])
      const command = commands.find((each) => each.words.join(' ') === words.join(' '))
      if (command === undefined) {
        throw new AppError(
          'command-line.not_opened',
          500,
          `${words.join(' ')} is defined but was not opened.`,
        )
      }
      const answer = await command.run(input)
      ports.stdout.write(json ? jsonText(answer.json) : answer.text === '' ? '' : `${answer.text}\n`)
    })
  },
})

/** What the server itself does. */
export const serverVerbs: readonly Verb[] = [
  {
    words: ['serve'],
    documentation:
      'Run the server until it is told to stop (SIGTERM, Ctrl-C); it then finishes what is under way. Environment variables configure it.',
    options: [],
    run: ({ ports }) => ports.serve(),
  },
  {
    words: ['migrate'],
    documentation:
      'Bring the schema of the database up to date. Starting the server does so too; on SQLite the file is copied first.',
    options: [
      { flags: '--status', documentation: 'Only say what is applied and what is pending.' },
      jsonOption,
    ],
    run: async ({ ports, given, json }) => {
      if (given.status === true) {
        const state = await ports.migrationState()
        const pending = state.pending.map(({ name }) => name)
        const lines = [
          ...state.applied.map((name) => `applied  ${name}`),
          ...pending.map((name) => `pending  ${name}`),
        ]
        ports.stdout.write(json ? jsonText({ applied: state.applied, pending }) : `${lines.join('\n')}\n`)
        return
      }
      const applied = await ports.migrate()
      const lines =
        applied.length === 0 ? ['The database is up to date.'] : applied.map((name) => `applied  ${name}`)
      ports.stdout.write(json ? jsonText({ applied }) : `${lines.join('\n')}\n`)
    },
  },
]
