import type { FeatureDefinition } from '../features/feature.ts'
import { commandVerb, serverVerbs } from './other-verbs.ts'
import { resourceVerbs } from './resource-verbs.ts'
import type { Group, Verb } from './verb.ts'

/** Everything the command line can do. */
export const verbsOf = (definitions: readonly FeatureDefinition[]): readonly Verb[] => [
  ...serverVerbs,
  ...definitions.flatMap(({ resource, commands = [] }) => [
    ...(resource === undefined ? [] : resourceVerbs(resource)),
    ...commands.map(commandVerb),
  ]),
]

/** The first words under which there are several verbs. */
export function groupsOf(definitions: readonly FeatureDefinition[]): readonly Group[] {
  const groups = definitions.flatMap(({ name, documentation, resource, commands = [] }) => {
    if (resource !== undefined) return [{ word: resource.name, documentation: resource.documentation }]
    const words = commands.filter(({ words }) => words.length > 1).map(({ words }) => words[0] ?? name)
    return [...new Set(words)].map((word) => ({
      word,
      documentation: documentation ?? `What there is to do about ${word}.`,
    }))
  })
  return groups.filter(({ word }, index) => groups.findIndex((group) => group.word === word) === index)
}
