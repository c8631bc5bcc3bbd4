/**
 * Owns who there is: accounts, their e-mail addresses and user names, who is disabled and who administrates.
 * Does not own how a person proves to be one (`passwords`), nor what is issued to him; it ends that when he goes.
 */
import type { Clock } from '../../kernel/clock.ts'
import { isId } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import { type AddressChanged, openChanges } from './changes.ts'
import { userClaims } from './claims.ts'
import { parseEmail, parseIdentifier, searchForm } from './identifiers.ts'
import { type IssuePasswordLink, userResource } from './resource.ts'
import { openUserStore, type UserStore } from './store.ts'
import { type Change, emailInvalid, isActive, type User, type Users, userNotFound } from './users.ts'

export type { AddressChanged } from './changes.ts'
export { usersDefinition } from './definition.ts'
export type { IssuePasswordLink, UserItem } from './resource.ts'
export type { Change, NewUser, User, UserDetails, Users } from './users.ts'

export interface UserDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  /** Ends sessions, tokens and pending interactions of a user who is disabled or deleted, in that transaction. */
  readonly endEverything: (db: DatabaseTransaction, userId: string) => Promise<void>
  readonly issuePasswordLink: IssuePasswordLink
  readonly addressChanged: AddressChanged
}

export interface UsersFeature extends Feature {
  readonly users: Users
  readonly claims: NonNullable<Feature['claims']>
  readonly resource: ReturnType<typeof userResource>
}

export function openUsers(dependencies: UserDependencies): UsersFeature {
  const { storage, issuePasswordLink } = dependencies
  const store = openUserStore(storage)
  const changes = openChanges({ ...dependencies, store })
  const thenForget = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } finally {
      store.forget()
    }
  }

  const users: Users = {
    ...reading(store),
    create: (user, change) => thenForget(changes.create(user, change)),
    update: (id, details, change) => thenForget(changes.update(id, details, change)),
    disable: (id, change) => thenForget(changes.disable(id, change)),
    enable: (id, change) => thenForget(changes.enable(id, change)),
    delete: (id, change) => thenForget(changes.delete(id, change)),
    setAdministrator: (id, is, change: Change) => thenForget(changes.setAdministrator(id, is, change)),
  }

  return {
    name: 'users',
    users,
    claims: userClaims(users.find),
    export: async (userId) => (await users.find(userId)) ?? null,
    resource: userResource({ users, store, transaction: storage.transaction, issuePasswordLink }),
  }
}

type Reading = Omit<Users, 'create' | 'update' | 'disable' | 'enable' | 'delete' | 'setAdministrator'>

function reading(store: UserStore): Reading {
  const find: Users['find'] = async (id) => (isId(id) ? await store.find(id) : undefined)
  const findByIdentifier: Users['findByIdentifier'] = async (text) => {
    const key = parseIdentifier(text)
    if (key === undefined) return undefined
    return key.includes('@') ? await store.findByEmailKey(key) : await store.findByUsernameKey(key)
  }
  const findByKey: Users['findByKey'] = async (key) => (await find(key)) ?? (await findByIdentifier(key))
  return {
    find,
    findByIdentifier,
    findByKey,
    get: async (id) => there(await find(id)),
    getByKey: async (key) => there(await findByKey(key)),
    isActive,
    mayIssue: async (id) => isActive(await find(id)),
    countAdministrators: (db, only) => store.countAdministrators(db, only),
    canonicalIdentifier: (text) => parseIdentifier(text) ?? searchForm(text),
    parseEmail(text) {
      const email = parseEmail(text)
      if (email === undefined) throw emailInvalid()
      return email
    },
  }
}

function there(user: User | undefined): User {
  if (user === undefined) throw userNotFound()
  return user
}
