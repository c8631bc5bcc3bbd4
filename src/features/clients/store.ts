import { AppError } from '../../kernel/errors.ts'
import { readCursor, searchText, writeCursor } from '../../kernel/paging.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import { openRevisionedCache } from '../../storage/revisioned-cache.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Client, ClientDraft, Origin } from './client.ts'
import { identifier } from './definition.ts'
import {
  freezeClient,
  readProtocol,
  readRow,
  type StoredClient,
  type StoredSecret,
  writeRow,
} from './rows.ts'

/** A client_id that is the address of a document. */
export const isDocumentId = (id: string): boolean => /^https:\/\/[\x21-\x7e]{1,500}$/.test(id)

/** So many that ten thousand clients at work are all at hand. Each takes about 17 KB once it has been used. */
const cachedClients = 12_000

const oldestFirst = [{ createdAt: 'asc' as const }, { id: 'asc' as const }]
const include = { secrets: { orderBy: oldestFirst } }

export type ClientStore = ReturnType<typeof openClientStore>

export function openClientStore(storage: Storage) {
  const cache = openRevisionedCache<Client>(() => storage.revision('clients'), cachedClients)
  const lists = openRevisionedCache<readonly Client[]>(() => storage.revision('clients'), 1)
  return {
    ...writing,

    read: (id: string, db: DatabaseTransaction = storage.db): Promise<StoredClient | undefined> =>
      read(db, id),

    /** From the cache as long as no process has changed a client. */
    find: (id: string): Promise<Client | undefined> =>
      cache.get(id, async () => {
        const stored = await read(storage.db, id)
        return stored && freezeClient(stored)
      }),

    /** Those that authenticate by tokens of trusted issuers; they are few. Cached in the same way. */
    listFederated: async (): Promise<readonly Client[]> =>
      (await lists.get('federated', async () => (await readFederated(storage)).map(freezeClient))) ?? [],

    /**
     * Which of these want to be told of logouts by the back channel. Past the cache: while a transaction is open, only it
     * may ask.
     */
    async toldOfLogouts(db: DatabaseTransaction, ids: readonly string[]): Promise<ReadonlySet<string>> {
      const where = { id: { in: [...ids] }, disabledAt: null }
      const rows = await db.client.findMany({ where, select: { id: true, protocol: true } })
      const told = rows.filter(({ protocol }) => readProtocol(protocol).backchannelLogoutUri !== undefined)
      return new Set(told.map(({ id }) => id))
    },

    /** All or nothing, and every process drops what it cached. */
    async change<T>(work: (db: DatabaseTransaction) => Promise<T>): Promise<T> {
      const result = await storage.transaction(async (db) => {
        const answer = await work(db)
        await storage.touch(db, 'clients')
        return answer
      })
      cache.drop()
      lists.drop()
      return result
    },

    list: (request: PageRequest): Promise<Page<StoredClient>> => list(storage, request),
  }
}

const read = async (db: DatabaseTransaction, id: string): Promise<StoredClient | undefined> => {
  if (!identifier.test(id) && !isDocumentId(id)) return undefined
  const row = await db.client.findUnique({ where: { id }, include })
  return row === null ? undefined : readRow(row)
}

async function readFederated(storage: Storage): Promise<readonly StoredClient[]> {
  const where = { authentication: 'federated_jwt' }
  return (await storage.db.client.findMany({ where, include, orderBy: oldestFirst })).map(readRow)
}

async function list(storage: Storage, { after, limit, search }: PageRequest): Promise<Page<StoredClient>> {
  // PostgreSQL compares letter by letter unless told; SQLite does not know the word.
  const anyCase = storage.dialect === 'postgresql' ? { mode: 'insensitive' } : {}
  const from = after === undefined ? undefined : readCursor(after)
  const beyond = from && [
    { createdAt: { gt: from.createdAt } },
    { createdAt: from.createdAt, id: { gt: from.id } },
  ]
  const text = searchText(search)
  const found = text && [{ id: text }, { name: { contains: text, ...anyCase } }]
  const rows = await storage.db.client.findMany({
    where: { AND: [beyond ? { OR: beyond } : {}, found ? { OR: found } : {}] },
    orderBy: oldestFirst,
    take: limit + 1,
    include,
  })
  const items = rows.slice(0, limit).map(readRow)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: writeCursor(last) } : { items }
}

const writing = {
  /** Throws `clients.id_taken`. */
  async insert(
    db: DatabaseTransaction,
    id: string,
    { draft, at, origin }: { draft: ClientDraft; at: Date; origin?: Origin },
  ): Promise<void> {
    try {
      await db.client.createMany({
        data: [{ id, ...writeRow(draft), ...(origin && { origin }), createdAt: at, updatedAt: at }],
      })
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause
      throw new AppError(
        'clients.id_taken',
        409,
        `There is a client ${id} already. Choose another id or update that one.`,
        { cause },
      )
    }
  },

  /** Reads a client that nobody else changes until the transaction ends. */
  async lock(db: DatabaseTransaction, id: string, at: Date): Promise<StoredClient | undefined> {
    const { count } = await db.client.updateMany({ where: { id }, data: { updatedAt: at } })
    return count === 0 ? undefined : await read(db, id)
  },

  /** Of a client as `lock` gave it. */
  async update(db: DatabaseTransaction, { id, updatedAt }: StoredClient, draft: ClientDraft): Promise<void> {
    await db.client.updateMany({ where: { id }, data: { ...writeRow(draft), updatedAt } })
  },

  async setDisabled(
    db: DatabaseTransaction,
    { id, updatedAt }: StoredClient,
    disabledAt: Date | null,
  ): Promise<void> {
    await db.client.updateMany({ where: { id }, data: { disabledAt, updatedAt } })
  },

  async remove(db: DatabaseTransaction, id: string): Promise<void> {
    await db.client.deleteMany({ where: { id } })
  },

  async insertSecret(db: DatabaseTransaction, clientId: string, secret: StoredSecret): Promise<void> {
    await db.clientSecret.createMany({ data: [{ clientId, ...secret }] })
  },

  async removeSecret(db: DatabaseTransaction, clientId: string, id: string): Promise<boolean> {
    return (await db.clientSecret.deleteMany({ where: { clientId, id } })).count === 1
  },

  async removeSecrets(db: DatabaseTransaction, clientId: string): Promise<void> {
    await db.clientSecret.deleteMany({ where: { clientId } })
  },
}
