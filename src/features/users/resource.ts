import type { Actor } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { Action, Outcome, Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { userFields } from './fields.ts'
import { parseCursor } from './page-cursor.ts'
import type { UserStore } from './store.ts'
import { type Change, type User, type UserDetails, type Users, userNotFound } from './users.ts'

/** A user as administration sees it. */
export interface UserItem extends Omit<User, 'disabledAt' | 'createdAt' | 'updatedAt'> {
  readonly disabled: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

/** Makes a one-time link on which the person chooses a password; earlier ones end. */
export type IssuePasswordLink = (
  userId: UserId,
  purpose: 'invitation' | 'reset',
  change: Change,
) => Promise<{ readonly url: string; readonly expiresAt: Date }>

export interface UserResourceDependencies {
  readonly users: Users
  readonly store: Pick<UserStore, 'list'>
  readonly transaction: Storage['transaction']
  readonly issuePasswordLink: IssuePasswordLink
}

export function toItem({ disabledAt, createdAt, updatedAt, ...user }: User): UserItem {
  return {
    ...user,
    disabled: disabledAt !== null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}

const outcome = (user: User): Outcome<UserItem> => ({ item: toItem(user) })

const linkNotice = (expiresAt: Date): string =>
  `The person chooses a password with this link, once, until ${expiresAt.toISOString()}.`

export const userResource = (dependencies: UserResourceDependencies): Resource<UserItem> => {
  const { users, store, transaction, issuePasswordLink } = dependencies
  return {
    name: 'users',
    singular: 'user',
    documentation: 'People who can sign in.',
    fields: userFields,
    actions: userActions(dependencies),

    async list(request) {
      const page = await store.list(
        request,
        request.after === undefined ? undefined : parseCursor(request.after),
      )
      return { ...page, items: page.items.map(toItem) }
    },

    async find(key) {
      const user = (await users.find(key)) ?? (await users.findByIdentifier(key))
      return user === undefined ? undefined : toItem(user)
    },

    /** The user and the link are there together or not at all. */
    create: (input, actor) =>
      transaction(async (db: DatabaseTransaction) => {
        const user = await users.create(input as UserDetails, { actor, db })
        const { url, expiresAt } = await issuePasswordLink(user.id, 'invitation', { actor, db })
        return { item: toItem(user), reveals: { link: url }, notice: linkNotice(expiresAt) }
      }),

    update: async (item, input, actor) =>
      outcome(await users.update(item.id, input as UserDetails, { actor })),
    delete: (item, actor) => users.delete(item.id, { actor }),
  }
}

const userActions = ({ users, issuePasswordLink }: UserResourceDependencies): readonly Action<UserItem>[] => {
  const action = (
    name: string,
    documentation: string,
    run: (id: UserId, actor: Actor) => Promise<User>,
  ): Action<UserItem> => ({
    name,
    documentation,
    input: {},
    run: async (item, _input, actor) => outcome(await run(item.id, actor)),
  })

  return [
    action(
      'disable',
      'Stop signing in and end sessions and tokens at once; nothing is forgotten.',
      (id, actor) => users.disable(id, { actor }),
    ),
    action('enable', 'Let a disabled user sign in again.', (id, actor) => users.enable(id, { actor })),
    action('make-administrator', 'Let the user administrate.', (id, actor) =>
      users.setAdministrator(id, true, { actor }),
    ),
    action('remove-administrator', 'Let the user no longer administrate.', (id, actor) =>
      users.setAdministrator(id, false, { actor }),
    ),
    {
      name: 'reset-password',
      documentation:
        'Make a one-time link on which the person chooses a new password; earlier links end. The present password and the second factor stay until then.',
      input: {},
      async run(item, _input, actor) {
        const user = await users.find(item.id)
        if (user === undefined) throw userNotFound()
        const { url, expiresAt } = await issuePasswordLink(user.id, 'reset', { actor })
        return { item: toItem(user), reveals: { link: url }, notice: linkNotice(expiresAt) }
      },
    },
  ]
}
