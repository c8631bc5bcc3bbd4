import type { View } from '../../kernel/text.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'
import type { User, Users } from '../users/index.ts'
import { type FieldChanges, type ProfileField, parseFields, parseLine } from './fields.ts'
import { formModel } from './panels.ts'
import { fieldInvalid } from './profiles.ts'
import type { ProfileStore } from './store.ts'

/** The fields of a person that the form of a new account asks for, and what becomes of them. */
export interface ProfileFields {
  /** Of the form. */
  readonly names: readonly string[]
  show(): Promise<View>
  /** What is to be kept of them, as JSON. Throws `profiles.…_invalid` and `profiles.field_required`, with the field. */
  parse(form: Readonly<Record<string, string>>): Registered
  /** In the transaction that makes the user. */
  save(db: DatabaseTransaction, user: User, kept: unknown): Promise<void>
}

interface Registered {
  readonly name: string | null
  readonly fields: FieldChanges
}

export interface RegisteringDependencies {
  readonly fields: readonly ProfileField[]
  readonly users: Pick<Users, 'update'>
  readonly store: Pick<ProfileStore, 'change'>
  readonly now: () => Date
}

export function registering({ fields: all, users, store, now }: RegisteringDependencies): ProfileFields {
  const fields = all.filter(({ register }) => register)

  return {
    names: ['name', ...fields.map(({ name }) => name)],
    show: async () => ({ template: 'profiles/registration', model: formModel(fields, {}) }),

    parse(form) {
      const text = (form.name ?? '').trim()
      const name = text === '' ? null : parseLine(text)
      if (name === undefined) throw fieldInvalid('name', 'line')
      return { name, fields: parseFields(fields, form, now()) }
    },

    async save(db, { id }, kept) {
      const { name, fields: changes } = kept as Registered
      if (name !== null) await users.update(id, { name }, { actor: { kind: 'user', userId: id }, db })
      if (Object.values(changes).some((value) => value !== null))
        await store.change(db, id, { changes, at: now() })
    },
  }
}
