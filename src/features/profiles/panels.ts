import type { ActOutcome, Panel, Visit } from '../feature.ts'
import type { Change, Users } from '../users/index.ts'
import type { Changing } from './changing.ts'
import {
  type FieldValues,
  longestLine,
  longestLines,
  type ProfileField,
  parseFields,
  parseLine,
} from './fields.ts'
import { fieldInvalid, pictureMissing } from './profiles.ts'
import type { PictureSize, Profile } from './store.ts'

export interface PanelDependencies {
  readonly fields: readonly ProfileField[]
  readonly users: Pick<Users, 'get'>
  readonly get: (userId: string) => Promise<Profile>
  readonly picturePath: (pictureId: string, size: PictureSize) => string
  readonly changing: Changing
  readonly now: () => Date
}

type Form = Readonly<Record<string, string>>

const pictureBytes = 8 * 1024 * 1024

export const changeOf = ({ userId, request }: Visit): Change => ({ actor: { kind: 'user', userId }, request })

/** A picture, chosen and removed. */
export function picturePanel({ get, picturePath, changing }: PanelDependencies): Panel {
  return {
    name: 'picture',
    page: 'profile',
    order: 10,

    async show({ userId, holder }) {
      const { pictureId } = await get(userId)
      return {
        template: 'profiles/picture',
        model: {
          name: holder.user.name,
          picture: pictureId === undefined ? undefined : picturePath(pictureId, 'full'),
          maximumBytes: pictureBytes,
        },
      }
    },

    acts: {
      upload: {
        fileBytes: pictureBytes,
        async run(visit, _form, file): Promise<ActOutcome> {
          if (file === undefined) throw pictureMissing()
          await changing.putPicture(visit.userId, file.body, changeOf(visit))
          return { notice: { key: 'profiles.picture-changed' } }
        },
      },
      remove: {
        async run(visit): Promise<ActOutcome> {
          const removed = await changing.removePicture(visit.userId, changeOf(visit))
          return removed ? { notice: { key: 'profiles.picture-removed' } } : { to: '/account' }
        },
      },
    },
  }
}

const nameFields = { name: 'name', given_name: 'givenName', family_name: 'familyName' } as const

/** What a person is called. */
export function namesPanel({ users, changing }: PanelDependencies): Panel {
  return {
    name: 'names',
    page: 'profile',
    order: 20,

    async show({ userId }) {
      const { name, givenName, familyName, username } = await users.get(userId)
      const known = { name: name ?? '', given_name: givenName ?? '', family_name: familyName ?? '' }
      return { template: 'profiles/names', model: { known, username: username ?? '' } }
    },

    acts: {
      save: {
        async run(visit, form): Promise<ActOutcome> {
          const details = Object.entries(nameFields).map(([field, detail]) => [detail, nameIn(form, field)])
          await changing.details(visit.userId, Object.fromEntries(details), changeOf(visit))
          return { notice: { key: 'profiles.saved' } }
        },
      },
    },
  }
}

function nameIn(form: Form, field: string): string | null {
  const text = (form[field] ?? '').trim()
  if (text === '') return null
  const name = parseLine(text)
  if (name === undefined) throw fieldInvalid(field, 'line')
  return name
}

/** The configured fields: those of the person's own to change, the others to see. */
export function fieldsPanel({ fields, get, changing, now }: PanelDependencies): Panel {
  const editable = fields.filter(({ fixed }) => !fixed)
  return {
    name: 'fields',
    page: 'profile',
    order: 30,

    async show({ userId }) {
      if (fields.length === 0) return undefined
      const { fields: known } = await get(userId)
      const facts = fields.filter(({ fixed, name }) => fixed && known[name] !== undefined)
      return {
        template: 'profiles/details',
        model: {
          ...formModel(editable, known),
          facts: facts.map((field) => ({ ...field, value: known[field.name] })),
        },
      }
    },

    acts: {
      save: {
        async run(visit, form): Promise<ActOutcome> {
          await changing.fields(visit.userId, parseFields(editable, form, now()), changeOf(visit))
          return { notice: { key: 'profiles.saved' } }
        },
      },
    },
  }
}

/** What `profiles/fields` draws. */
export const formModel = (fields: readonly ProfileField[], known: FieldValues) => ({
  fields,
  known: Object.fromEntries(fields.map(({ name }) => [name, known[name] ?? ''])),
  longestLine,
  longestLines,
})
