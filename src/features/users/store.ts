import { newId, type UserId } from '../../kernel/ids.ts'
import { searchText } from '../../kernel/paging.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { isUniqueViolation, violatedColumns } from '../../storage/errors.ts'
import { pageOf, pageQuery } from '../../storage/pages.ts'
import { openRevisionedCache } from '../../storage/revisioned-cache.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'

import { searchForm } from './identifiers.ts'
import { emailTaken, type User, userNotFound, usernameTaken } from './users.ts'

/** The columns of a user that rules set; both keys and what is searched follow from them. */
export interface StoredDetails {
  readonly email: string | null
  readonly emailKey: string | null
  readonly emailVerified: boolean
  readonly username: string | null
  readonly usernameKey: string | null
  readonly name: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  readonly locale: string | null
  readonly zoneinfo: string | null
}

const cachedUsers = 10_000

type Row = Omit<User, 'id'> & { readonly id: string }

const shown = {
  id: true,
  email: true,
  emailVerified: true,
  username: true,
  name: true,
  givenName: true,
  familyName: true,
  locale: true,
  zoneinfo: true,
  administrator: true,
  disabledAt: true,
  createdAt: true,
  updatedAt: true,
} as const

const toUser = (row: Row): User => ({ ...row, id: row.id as UserId })

const searchTextOf = ({ name, givenName, familyName, emailKey, usernameKey }: StoredDetails): string =>
  searchForm([name, givenName, familyName, emailKey, usernameKey].filter((text) => text !== null).join(' '))

const orUndefined = (row: Row | null): User | undefined => (row === null ? undefined : toUser(row))

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause
    throw violatedColumns(cause).includes('username') ? usernameTaken() : emailTaken()
  }
}

const openReading = ({ db }: Storage) => ({
  findStored: async (id: string, within: DatabaseTransaction = db): Promise<User | undefined> =>
    orUndefined(await within.user.findUnique({ where: { id }, select: shown })),

  findByEmailKey: async (emailKey: string): Promise<User | undefined> =>
    orUndefined(await db.user.findUnique({ where: { emailKey }, select: shown })),

  findByUsernameKey: async (usernameKey: string): Promise<User | undefined> =>
    orUndefined(await db.user.findUnique({ where: { usernameKey }, select: shown })),

  countAdministrators: (within: DatabaseTransaction = db, only?: 'active'): Promise<number> =>
    within.user.count({ where: { administrator: true, ...(only === 'active' ? { disabledAt: null } : {}) } }),

  /** Oldest first. Throws `page.bad_cursor` and `page.bad_search`. */
  async list(request: PageRequest): Promise<Page<User>> {
    const search = searchForm(searchText(request.search) ?? '')
    const { beyond, orderBy, take } = pageQuery(request)
    const found = search === '' ? {} : { searchText: { contains: search } }
    const rows = await db.user.findMany({ select: shown, where: { ...found, ...beyond }, orderBy, take })
    return pageOf(rows, request, toUser)
  },
})

const writing = {
  async insert(
    db: DatabaseTransaction,
    details: StoredDetails & { readonly administrator: boolean },
    at: Date,
  ): Promise<User> {
    const own = { id: newId(), searchText: searchTextOf(details), createdAt: at, updatedAt: at }
    return toUser(await translated(db.user.create({ data: { ...details, ...own }, select: shown })))
  },

  async update(
    db: DatabaseTransaction,
    id: string,
    { details, at }: { details: StoredDetails; at: Date },
  ): Promise<User> {
    const data = { ...details, searchText: searchTextOf(details), updatedAt: at }
    return toUser(await translated(db.user.update({ where: { id }, data, select: shown })))
  },

  async set(
    db: DatabaseTransaction,
    id: string,
    data: { readonly disabledAt?: Date | null; readonly administrator?: boolean; readonly updatedAt: Date },
  ): Promise<User> {
    const { count } = await db.user.updateMany({ where: { id }, data })
    if (count === 0) throw userNotFound()
    return toUser(await db.user.findUniqueOrThrow({ where: { id }, select: shown }))
  },

  async delete(db: DatabaseTransaction, id: string): Promise<void> {
    if ((await db.user.deleteMany({ where: { id } })).count === 0) throw userNotFound()
  },
}

export const openUserStore = (storage: Storage) => {
  const cache = openRevisionedCache<User>(() => storage.revision('users'), cachedUsers)
  const reading = openReading(storage)
  return {
    ...reading,
    ...writing,
    /** As of the last change that is known here; every token asks for its user, so he is remembered until one is. */
    find: (id: string): Promise<User | undefined> => cache.get(id, () => reading.findStored(id)),
    /** Called when this process has changed a user, as the notice of that may still be on its way. */
    forget: cache.drop,
  }
}
export type UserStore = ReturnType<typeof openUserStore>
