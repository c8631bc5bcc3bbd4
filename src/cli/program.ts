import { Argument, Command, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import type { CommandLinePorts } from './ports.ts'
import type { Group, Verb, VerbOption } from './verb.ts'

const helpWidth = 100

export const introduction =
  'Latchkey, an OAuth 2.0 and OpenID Connect identity provider. Every verb explains itself with --help.'

export const exitCodesText =
  'Exit codes: 0 when it is done, 1 when it was refused or failed, 2 when the command line was not understood.'

/** The program that commander runs: a command for each verb, below a command for each group. */
export function buildProgram(
  verbs: readonly Verb[],
  groups: readonly Group[],
  ports: CommandLinePorts,
): Command {
  const program = new Command('latchkey')
    .description(introduction)
    .version(packageJson.version, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Explain.')
    .helpCommand(false)
    .addHelpText('after', `\n${exitCodesText}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void ports.stdout.write(text),
      writeErr: (text) => void ports.stderr.write(text),
      getOutHelpWidth: () => ports.stdout.columns ?? helpWidth,
      getErrHelpWidth: () => ports.stderr.columns ?? helpWidth,
    })
  for (const verb of verbs) addVerb(program, verb, { groups, ports })
  return program
}

interface Surroundings {
  readonly groups: readonly Group[]
  readonly ports: CommandLinePorts
}

function addVerb(program: Command, verb: Verb, { groups, ports }: Surroundings): void {
  const command = verb.words.reduce((parent, word, depth) => {
    const known = parent.commands.find((each) => each.name() === word)
    if (known !== undefined) return known
    const group = depth === 0 ? groups.find((each) => each.word === word) : undefined
    return parent.command(word).description(group?.documentation ?? '')
  }, program)
  if (command.description() === '') command.description(verb.documentation)
  if (verb.argument !== undefined) {
    command.addArgument(new Argument(`<${verb.argument.name}>`, verb.argument.documentation))
  }
  for (const option of verb.options) command.addOption(optionOf(option))
  command.showHelpAfterError(`Explained by: latchkey ${verb.words.join(' ')} --help`)
  command.action(async () => {
    const [key = ''] = command.args
    const given = command.opts()
    await verb.run({ ports, key, given, json: given.json === true })
  })
}

function optionOf({ flags, documentation, required, repeatable }: VerbOption): Option {
  const marks = [required === true ? 'Required.' : '', repeatable === true ? 'Can be repeated.' : '']
  const option = new Option(flags, [documentation, ...marks].filter((text) => text !== '').join(' '))
  if (repeatable !== true) return option
  return option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
}
