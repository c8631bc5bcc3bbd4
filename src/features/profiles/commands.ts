import { z } from 'zod'
import { personKey } from '../../kernel/fields.ts'
import { commandLineActor } from '../../kernel/http.ts'
import type { Command, CommandAnswer, CommandDefinition, FeatureDefinition } from '../feature.ts'
import type { User, Users } from '../users/index.ts'
import type { Changing } from './changing.ts'
import { type ProfileField, parseFields } from './fields.ts'
import { fieldUnknown } from './profiles.ts'
import type { Profile } from './store.ts'

const show: CommandDefinition = {
  words: ['profiles', 'show'],
  documentation: 'Show what the profile of a person holds beside the account.',
  input: { user: personKey },
}

const set: CommandDefinition = {
  words: ['profiles', 'set'],
  documentation: 'Set a field of a person’s profile, also one that the person cannot change.',
  input: {
    user: personKey,
    field: { schema: z.string().min(1).max(40), documentation: 'The name of the field, such as nickname.' },
    value: { schema: z.string().max(1_000), documentation: 'Its value; an empty one clears the field.' },
  },
}

const removePicture: CommandDefinition = {
  words: ['profiles', 'remove-picture'],
  documentation: 'Remove the picture of a person.',
  input: { user: personKey },
}

/** What the feature is, known without a database. */
export const profilesDefinition: FeatureDefinition = {
  name: 'profiles',
  documentation:
    'What is known of people beside their accounts: the fields of LATCHKEY_PROFILES_FIELDS, and pictures.',
  commands: [show, set, removePicture],
}

export interface CommandDependencies {
  readonly fields: readonly ProfileField[]
  readonly users: Users
  readonly get: (userId: string) => Promise<Profile>
  readonly pictureUrl: (pictureId: string) => string
  readonly changing: Changing
  readonly now: () => Date
}

const by = { actor: commandLineActor }

export function profileCommands(dependencies: CommandDependencies): readonly Command[] {
  const { fields, users, changing, now } = dependencies
  const personOf = (key: unknown): Promise<User> => users.getByKey(String(key))
  const answer = answering(dependencies)

  return [
    { ...show, run: async (input) => await answer(await personOf(input.user)) },
    {
      ...set,
      async run(input) {
        const person = await personOf(input.user)
        const field = fields.find(({ name }) => name === input.field)
        if (field === undefined) throw fieldUnknown(String(input.field))
        const form = { [field.name]: String(input.value) }
        await changing.fields(person.id, parseFields([{ ...field, required: false }], form, now()), by)
        return await answer(person)
      },
    },
    {
      ...removePicture,
      async run(input) {
        const removed = await changing.removePicture((await personOf(input.user)).id, by)
        return { text: removed ? 'The picture is gone.' : 'There was no picture.', json: { removed } }
      },
    },
  ]
}

const answering =
  ({ fields, get, pictureUrl }: CommandDependencies) =>
  async ({ id }: User): Promise<CommandAnswer> => {
    const { fields: values, pictureId } = await get(id)
    const picture = pictureId === undefined ? null : pictureUrl(pictureId)
    const known = fields.map(({ name }) => [name, values[name] ?? null] as const)
    const lines = [...known, ['picture', picture] as const].map(([name, value]) => `${name}  ${value ?? '-'}`)
    return { text: lines.join('\n'), json: { user: id, fields: Object.fromEntries(known), picture } }
  }
