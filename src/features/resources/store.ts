import { AppError } from '../../kernel/errors.ts'
import type { ResourceId } from '../../kernel/ids.ts'
import { searchText } from '../../kernel/paging.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { openChanges } from '../../storage/changes.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import { containing, pageOf, pageQuery } from '../../storage/pages.ts'
import { openRevisionedCache } from '../../storage/revisioned-cache.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { ResourceScope, TokenAlgorithm, TokenFormat } from './definition.ts'
import { type ResourceProtocol, resourceProtocolOf } from './protocol.ts'
import type { ApiResource, ResourceDraft, StoredResource } from './resources.ts'

/** What identifiers and indicators are made of; anything else is not asked of the database. */
const keyPattern = /^[\x21-\x7e]{1,512}$/

interface ResourceRow
  extends Omit<
    StoredResource,
    | keyof ResourceProtocol
    | 'id'
    | 'scopes'
    | 'introspectors'
    | 'tokenFormat'
    | 'tokenAlgorithm'
    | 'disabledAt'
  > {
  readonly id: string
  readonly scopes: string
  readonly introspectors: string
  readonly tokenFormat: string
  readonly tokenAlgorithm: string
  readonly protocol: string
  readonly disabledAt: Date | null
}

/** The types of what this feature itself wrote are taken for granted. */
const readRow = ({ protocol, ...row }: ResourceRow): StoredResource => ({
  ...(JSON.parse(protocol) as ResourceProtocol),
  ...row,
  id: row.id as ResourceId,
  scopes: JSON.parse(row.scopes) as ResourceScope[],
  introspectors: JSON.parse(row.introspectors) as string[],
  tokenFormat: row.tokenFormat as TokenFormat,
  tokenAlgorithm: row.tokenAlgorithm as TokenAlgorithm,
  disabledAt: row.disabledAt ?? undefined,
})

const writeRow = (draft: ResourceDraft) => ({
  indicator: draft.indicator,
  name: draft.name,
  scopes: JSON.stringify(draft.scopes),
  introspectors: JSON.stringify(draft.introspectors),
  tokenFormat: draft.tokenFormat,
  tokenAlgorithm: draft.tokenAlgorithm,
  accessTokenTtlSeconds: draft.accessTokenTtlSeconds,
  protocol: JSON.stringify(resourceProtocolOf(draft)),
})

function freezeResource({ createdAt, updatedAt, ...resource }: StoredResource): ApiResource {
  return deepFreeze(resource)
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !(part instanceof Date)) deepFreeze(part)
  }
  return Object.freeze(value)
}

export type ResourceStore = ReturnType<typeof openResourceStore>

export function openResourceStore(storage: Storage) {
  const cache = openRevisionedCache<ApiResource>(() => storage.revision('resources'))
  return {
    ...writing,

    read: (key: string, db: DatabaseTransaction = storage.db): Promise<StoredResource | undefined> =>
      read(db, key),

    /** From the cache as long as no process has changed a resource. */
    findByIndicator: (indicator: string): Promise<ApiResource | undefined> =>
      cache.get(indicator, async () => {
        if (!keyPattern.test(indicator)) return undefined
        const row = await storage.db.resource.findUnique({ where: { indicator } })
        return row === null ? undefined : freezeResource(readRow(row))
      }),

    change: openChanges(storage, 'resources', () => cache.drop()),

    list: (request: PageRequest): Promise<Page<StoredResource>> => list(storage, request),
  }
}

/** By identifier or indicator. */
const read = async (db: DatabaseTransaction, key: string): Promise<StoredResource | undefined> => {
  if (!keyPattern.test(key)) return undefined
  const row = await db.resource.findFirst({ where: { OR: [{ id: key }, { indicator: key }] } })
  return row === null ? undefined : readRow(row)
}

async function list(storage: Storage, request: PageRequest): Promise<Page<StoredResource>> {
  const text = searchText(request.search)
  const part = containing(storage.dialect, text ?? '')
  const { beyond, orderBy, take } = pageQuery(request)
  const found = text === undefined ? {} : { OR: [{ id: text }, { name: part }, { indicator: part }] }
  const where = { AND: [beyond, found] }
  const rows = await storage.db.resource.findMany({ where, orderBy, take })
  return pageOf(rows, request, readRow)
}

const writing = {
  /** Throws `resources.indicator_taken`. */
  async insert(
    db: DatabaseTransaction,
    id: string,
    { draft, at }: { draft: ResourceDraft; at: Date },
  ): Promise<void> {
    try {
      await db.resource.createMany({ data: [{ id, ...writeRow(draft), createdAt: at, updatedAt: at }] })
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause
      const message = `There is a resource ${draft.indicator} already. Choose another indicator or update that one.`
      throw new AppError('resources.indicator_taken', 409, message, { cause })
    }
  },

  /** Reads a resource that nobody else changes until the transaction ends. */
  async lock(db: DatabaseTransaction, id: string, at: Date): Promise<StoredResource | undefined> {
    const { count } = await db.resource.updateMany({ where: { id }, data: { updatedAt: at } })
    return count === 0 ? undefined : await read(db, id)
  },

  /** Of a resource as `lock` gave it. */
  async update(
    db: DatabaseTransaction,
    { id, updatedAt }: StoredResource,
    draft: ResourceDraft,
  ): Promise<void> {
    await db.resource.updateMany({ where: { id }, data: { ...writeRow(draft), updatedAt } })
  },

  async setDisabled(
    db: DatabaseTransaction,
    { id, updatedAt }: StoredResource,
    disabledAt: Date | null,
  ): Promise<void> {
    await db.resource.updateMany({ where: { id }, data: { disabledAt, updatedAt } })
  },

  async remove(db: DatabaseTransaction, id: string): Promise<void> {
    await db.resource.deleteMany({ where: { id } })
  },
}
