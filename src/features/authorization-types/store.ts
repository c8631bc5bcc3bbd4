import { AppError } from '../../kernel/errors.ts'
import { searchText } from '../../kernel/paging.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { openChanges } from '../../storage/changes.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import { containing, oldestFirst, pageOf, pageQuery } from '../../storage/pages.ts'
import { openRevisionedCache } from '../../storage/revisioned-cache.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { AuthorizationType, StoredType, TypeDraft } from './authorization-types.ts'
import type { DetailField } from './definition.ts'

const topic = 'authorization-types'
/** What identifiers and types are made of; anything else is not asked of the database. */
const keyPattern = /^[\x21-\x7e]{1,200}$/

interface TypeRow extends Omit<StoredType, 'fields' | 'disabledAt'> {
  readonly fields: string
  readonly disabledAt: Date | null
}

/** The types of what this feature itself wrote are taken for granted. */
const readRow = (row: TypeRow): StoredType => ({
  ...row,
  fields: JSON.parse(row.fields) as DetailField[],
  disabledAt: row.disabledAt ?? undefined,
})

const writeRow = ({ type, title, description, fields, remember }: TypeDraft) => ({
  type,
  title,
  description,
  fields: JSON.stringify(fields),
  remember,
})

const freeze = ({ type, title, description, fields, remember }: StoredType): AuthorizationType =>
  Object.freeze({ type, title, description, remember, fields: Object.freeze(fields) })

export type TypeStore = ReturnType<typeof openTypeStore>

export function openTypeStore(storage: Storage) {
  const cache = openRevisionedCache<readonly AuthorizationType[]>(() => storage.revision(topic))
  /** From the cache as long as no process has changed a type. */
  const active = async (): Promise<readonly AuthorizationType[]> =>
    (await cache.get('active', async () => {
      const rows = await storage.db.authorizationType.findMany({
        where: { disabledAt: null },
        orderBy: oldestFirst,
      })
      return Object.freeze(rows.map((row) => freeze(readRow(row))))
    })) ?? []

  return {
    ...writing,
    active,
    revision: () => storage.revision(topic),

    read: (key: string, db: DatabaseTransaction = storage.db): Promise<StoredType | undefined> =>
      read(db, key),

    change: openChanges(storage, topic, () => cache.drop()),

    list: (request: PageRequest): Promise<Page<StoredType>> => list(storage, request),
  }
}

/** By identifier or type. */
const read = async (db: DatabaseTransaction, key: string): Promise<StoredType | undefined> => {
  if (!keyPattern.test(key)) return undefined
  const row = await db.authorizationType.findFirst({ where: { OR: [{ id: key }, { type: key }] } })
  return row === null ? undefined : readRow(row)
}

async function list(storage: Storage, request: PageRequest): Promise<Page<StoredType>> {
  const text = searchText(request.search)
  const part = containing(storage.dialect, text ?? '')
  const { beyond, orderBy, take } = pageQuery(request)
  const found = text === undefined ? {} : { OR: [{ id: text }, { type: part }, { title: part }] }
  const where = { AND: [beyond, found] }
  const rows = await storage.db.authorizationType.findMany({ where, orderBy, take })
  return pageOf(rows, request, readRow)
}

const writing = {
  /** Throws `authorization_types.type_taken`. */
  async insert(
    db: DatabaseTransaction,
    id: string,
    { draft, at }: { readonly draft: TypeDraft; readonly at: Date },
  ): Promise<void> {
    try {
      await db.authorizationType.createMany({
        data: [{ id, ...writeRow(draft), createdAt: at, updatedAt: at }],
      })
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause
      const message = `There is an authorization type ${draft.type} already. Choose another name or update that one.`
      throw new AppError('authorization_types.type_taken', 409, message, { cause })
    }
  },

  /** Reads a type that nobody else changes until the transaction ends. */
  async lock(db: DatabaseTransaction, id: string, at: Date): Promise<StoredType | undefined> {
    const { count } = await db.authorizationType.updateMany({ where: { id }, data: { updatedAt: at } })
    return count === 0 ? undefined : await read(db, id)
  },

  /** Of a type as `lock` gave it. */
  async update(db: DatabaseTransaction, { id, updatedAt }: StoredType, draft: TypeDraft): Promise<void> {
    await db.authorizationType.updateMany({ where: { id }, data: { ...writeRow(draft), updatedAt } })
  },

  async setDisabled(
    db: DatabaseTransaction,
    { id, updatedAt }: StoredType,
    disabledAt: Date | null,
  ): Promise<void> {
    await db.authorizationType.updateMany({ where: { id }, data: { disabledAt, updatedAt } })
  },

  async remove(db: DatabaseTransaction, id: string): Promise<void> {
    await db.authorizationType.deleteMany({ where: { id } })
  },
}
