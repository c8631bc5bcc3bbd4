import { AppError } from '../../kernel/errors.ts'
import { searchText } from '../../kernel/paging.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import { containing, oldestFirst, pageOf, pageQuery } from '../../storage/pages.ts'
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

const include = { secrets: { orderBy: oldestFirst } }

export type ClientStore = ReturnType<typeof openClientStore>

export function openClientStore(storage: Storage) {
  const cache = openRevisionedCache<Client>(
    () => storage.revision('clients'),
    cachedClients,
    (revision) => storage.changedSince('clients', revision),
  )
  const lists = openRevisionedCache<readonly Client[]>(() => storage.revision('federated-clients'), 1)
  return {
    ...writing(storage),

    read: (id: string, db: DatabaseTransaction = storage.db): Promise<StoredClient | undefined> =>
      read(db, id),

    /** From the cache as long as no process has changed the client. */
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

    /** Asked of all of them, which is for administrators alone. */
    async defaultingTo(indicator: string): Promise<readonly string[]> {
      const where = { protocol: { contains: '"defaultResource"' } }
      const rows = await storage.db.client.findMany({ where, select: { id: true, protocol: true } })
      const named = rows.filter(({ protocol }) => readProtocol(protocol).defaultResource === indicator)
      return named.map(({ id }) => id).toSorted()
    },

    /** Makes a client, all or nothing. Nobody has to be told, as what is not there is nowhere remembered. */
    create: storage.transaction,

    /** Changes a client, all or nothing, and every process forgets what it knows of this one. */
    change: <T>(id: string, work: (db: DatabaseTransaction) => Promise<T>): Promise<T> =>
      storage.transaction(async (db) => {
        const answer = await work(db)
        await storage.touch(db, 'clients', id)
        return answer
      }),

    list: (request: PageRequest): Promise<Page<StoredClient>> => list(storage, request),
  }
}

const read = async (db: DatabaseTransaction, id: string): Promise<StoredClient | undefined> => {
  if (!identifier.test(id) && !isDocumentId(id)) return undefined
  const row = await db.client.findUnique({ where: { id }, include })
  return row === null ? undefined : readRow(row)
}

const federated = 'federated_jwt'
const isFederated = ({ authentication }: Pick<ClientDraft, 'authentication'>): boolean =>
  authentication === federated

async function readFederated(storage: Storage): Promise<readonly StoredClient[]> {
  const where = { authentication: federated }
  return (await storage.db.client.findMany({ where, include, orderBy: oldestFirst })).map(readRow)
}

async function list(storage: Storage, request: PageRequest): Promise<Page<StoredClient>> {
  const text = searchText(request.search)
  const part = containing(storage.dialect, text ?? '')
  const { beyond, orderBy, take } = pageQuery(request)
  const found = text === undefined ? {} : { OR: [{ id: text }, { name: part }] }
  const where = { AND: [beyond, found] }
  const rows = await storage.db.client.findMany({ where, orderBy, take, include })
  return pageOf(rows, request, readRow)
}

const writing = (storage: Storage) => ({
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
    if (isFederated(draft)) await storage.touch(db, 'federated-clients')
  },

  /** Reads a client that nobody else changes until the transaction ends. */
  async lock(db: DatabaseTransaction, id: string, at: Date): Promise<StoredClient | undefined> {
    const { count } = await db.client.updateMany({ where: { id }, data: { updatedAt: at } })
    return count === 0 ? undefined : await read(db, id)
  },

  /** Of a client as `lock` gave it. */
  async update(db: DatabaseTransaction, client: StoredClient, draft: ClientDraft): Promise<void> {
    const { id, updatedAt } = client
    await db.client.updateMany({ where: { id }, data: { ...writeRow(draft), updatedAt } })
    if (isFederated(client) || isFederated(draft)) await storage.touch(db, 'federated-clients')
  },

  async setDisabled(db: DatabaseTransaction, client: StoredClient, disabledAt: Date | null): Promise<void> {
    const { id, updatedAt } = client
    await db.client.updateMany({ where: { id }, data: { disabledAt, updatedAt } })
    if (isFederated(client)) await storage.touch(db, 'federated-clients')
  },

  /** One as `lock` gave it. */
  async remove(db: DatabaseTransaction, client: StoredClient): Promise<void> {
    await db.client.deleteMany({ where: { id: client.id } })
    if (isFederated(client)) await storage.touch(db, 'federated-clients')
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
})
