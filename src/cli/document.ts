import type { FeatureDefinition } from '../features/feature.ts'
import { exitCodesText, introduction } from './program.ts'
import type { Verb, VerbOption } from './verb.ts'
import { groupsOf, verbsOf } from './verbs.ts'

const opening = `# The command line

<!-- Generated from the source by \`npm run docs\`; changes belong there. -->

${introduction}

\`\`\`
npx latchkey <words> [options]
\`\`\`

In the container image the command is \`latchkey\`. It uses the same environment variables as the server
([configuration](configuration.md)), and so works on the same database, whether the server runs or not.

* \`--json\` prints JSON and nothing else on standard output; notes and errors go to standard error.
* A list is given by repeating its option. \`<json>\` is JSON, or \`@\` and the name of a file that holds it.
* Secrets and links are shown once, when they are made. Passwords are read from standard input and never from an argument.
* ${exitCodesText}
`

/** `docs/command-line.md`. */
export function commandLineDocument(definitions: readonly FeatureDefinition[]): string {
  const verbs = verbsOf(definitions)
  const groups = groupsOf(definitions)
  const firstWords = [...new Set(verbs.map(({ words }) => words[0] ?? ''))]
  const sections = firstWords.map((word) => {
    const group = groups.find((each) => each.word === word)
    const parts = verbs.filter(({ words }) => words[0] === word).map(verbText)
    return [`## ${word}\n`, ...(group === undefined ? [] : [`${group.documentation}\n`]), ...parts].join('\n')
  })
  return `${[opening, ...sections].join('\n')}`
}

function verbText({ words, documentation, argument, options }: Verb): string {
  const usage = ['latchkey', ...words, ...(argument === undefined ? [] : [`<${argument.name}>`])].join(' ')
  const heading = words.length === 1 ? '' : `### ${words.join(' ')}\n\n`
  const rows = options.map(optionRow)
  const table = rows.length === 0 ? '' : `\n| Option | |\n|---|---|\n${rows.join('\n')}\n`
  const described = argument === undefined ? '' : `\n\`<${argument.name}>\`: ${argument.documentation}\n`
  return `${heading}\`${usage}${options.length === 0 ? '' : ' [options]'}\`\n\n${documentation}\n${described}${table}`
}

function optionRow({ flags, documentation, required, repeatable }: VerbOption): string {
  const marks = [required === true ? '**Required.**' : '', repeatable === true ? 'Can be repeated.' : '']
  const text = [documentation, ...marks].filter((each) => each !== '').join(' ')
  const cell = (each: string): string => each.replaceAll('|', '\\|')
  return `| \`${cell(flags)}\` | ${cell(text)} |`
}
