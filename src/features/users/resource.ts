import type { Actor } from '../../kernel/http.ts'
import type { UserId } from '../../kernel/ids.ts'
import { type Action, bindActions, type Outcome, type Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import { userActions, usersDefinition } from './definition.ts'
import type { UserStore } from './store.ts'
import { type Change, type User, type UserDetails, type Users, userNotFound } from './users.ts'

/** A user as administration sees it. */
export interface UserItem extends Omit<User, 'disabledAt' | 'createdAt' | 'updatedAt'> {
  readonly disabled: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

/** Makes a one-time link on which the person chooses a password, and mails it where asked to; earlier ones end. */
export type IssuePasswordLink = (
  userId: UserId,
  purpose: 'invitation' | 'reset',
  change: Change & { readonly mail?: boolean },
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
    ...usersDefinition.resource,
    actions: bindActions(userActions, runs(dependencies)),

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(toItem) }
    },

    async find(key) {
      const user = await users.findByKey(key)
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

const mailedNotice = (email: string, expiresAt: Date): string =>
  `A link with which the person chooses a password is on its way to ${email}. It works once, until ${expiresAt.toISOString()}.`

type Run = Action<UserItem>['run']

const runs = ({
  users,
  issuePasswordLink,
}: UserResourceDependencies): Readonly<Record<(typeof userActions)[number]['name'], Run>> => {
  const changing =
    (change: (id: UserId, actor: Actor) => Promise<User>): Run =>
    async (item, _input, actor) =>
      outcome(await change(item.id, actor))

  return {
    disable: changing((id, actor) => users.disable(id, { actor })),
    enable: changing((id, actor) => users.enable(id, { actor })),
    'make-administrator': changing((id, actor) => users.setAdministrator(id, true, { actor })),
    'remove-administrator': changing((id, actor) => users.setAdministrator(id, false, { actor })),
    async 'reset-password'(item, { mail }, actor) {
      const user = await users.find(item.id)
      if (user === undefined) throw userNotFound()
      const { url, expiresAt } = await issuePasswordLink(user.id, 'reset', { actor, mail: mail === true })
      if (mail === true) return { item: toItem(user), notice: mailedNotice(user.email ?? '', expiresAt) }
      return { item: toItem(user), reveals: { link: url }, notice: linkNotice(expiresAt) }
    },
  }
}
