import { AppError } from '../../kernel/errors.ts'
import { searchText } from '../../kernel/paging.ts'
import type { PublicJwks } from '../../kernel/public-keys.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { openChanges } from '../../storage/changes.ts'
import { isUniqueViolation } from '../../storage/errors.ts'
import { containing, pageOf, pageQuery } from '../../storage/pages.ts'
import { openRevisionedCache } from '../../storage/revisioned-cache.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { AssertionAlgorithm } from './definition.ts'
import type { MappedPerson, StoredIssuer, TrustedIssuer, TrustedIssuerDraft } from './trusted-issuers.ts'

/** What identifiers and issuers are made of; anything else is not asked of the database. */
const keyPattern = /^[\x21-\x7e]{1,512}$/

type Row = Awaited<ReturnType<DatabaseTransaction['trustedIssuer']['findFirstOrThrow']>>

/** The types of what this feature itself wrote are taken for granted. */
const readRow = (row: Row): StoredIssuer => ({
  ...row,
  jwksUri: row.jwksUri ?? undefined,
  jwks: row.jwks === null ? undefined : (JSON.parse(row.jwks) as PublicJwks),
  algorithms: JSON.parse(row.algorithms) as AssertionAlgorithm[],
  audiences: JSON.parse(row.audiences) as string[],
  people: JSON.parse(row.people) as MappedPerson[],
  disabledAt: row.disabledAt ?? undefined,
})

const writeRow = (draft: TrustedIssuerDraft) => ({
  issuer: draft.issuer,
  name: draft.name,
  jwksUri: draft.jwksUri ?? null,
  jwks: draft.jwks === undefined ? null : JSON.stringify(draft.jwks),
  algorithms: JSON.stringify(draft.algorithms),
  audiences: JSON.stringify(draft.audiences),
  maximumLifetimeSeconds: draft.maximumLifetimeSeconds,
  singleUse: draft.singleUse,
  people: JSON.stringify(draft.people),
})

export type TrustedIssuerStore = ReturnType<typeof openTrustedIssuerStore>

export function openTrustedIssuerStore(storage: Storage) {
  const cache = openRevisionedCache<TrustedIssuer>(() => storage.revision('issuers'))
  return {
    ...writing,

    read: (key: string, db: DatabaseTransaction = storage.db): Promise<StoredIssuer | undefined> =>
      read(db, key),

    /** By its issuer identifier alone, from the cache as long as no process has changed one. */
    async findActive(issuer: string): Promise<TrustedIssuer | undefined> {
      if (!keyPattern.test(issuer)) return undefined
      const found = await cache.get(issuer, async () => {
        const row = await storage.db.trustedIssuer.findUnique({ where: { issuer } })
        return row === null ? undefined : Object.freeze(readRow(row))
      })
      return found?.disabledAt === undefined ? found : undefined
    },

    change: openChanges(storage, 'issuers', () => cache.drop()),

    list: (request: PageRequest): Promise<Page<StoredIssuer>> => list(storage, request),
  }
}

/** By identifier or issuer. */
const read = async (db: DatabaseTransaction, key: string): Promise<StoredIssuer | undefined> => {
  if (!keyPattern.test(key)) return undefined
  const row = await db.trustedIssuer.findFirst({ where: { OR: [{ id: key }, { issuer: key }] } })
  return row === null ? undefined : readRow(row)
}

async function list(storage: Storage, request: PageRequest): Promise<Page<StoredIssuer>> {
  const text = searchText(request.search)
  const part = containing(storage.dialect, text ?? '')
  const { beyond, orderBy, take } = pageQuery(request)
  const found = text === undefined ? {} : { OR: [{ id: text }, { name: part }, { issuer: part }] }
  const where = { AND: [beyond, found] }
  const rows = await storage.db.trustedIssuer.findMany({ where, orderBy, take })
  return pageOf(rows, request, readRow)
}

const writing = {
  /** Throws `trusted_issuers.taken`. */
  async insert(
    db: DatabaseTransaction,
    id: string,
    { draft, at }: { draft: TrustedIssuerDraft; at: Date },
  ): Promise<void> {
    try {
      await db.trustedIssuer.createMany({ data: [{ id, ...writeRow(draft), createdAt: at, updatedAt: at }] })
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause
      const message = `${draft.issuer} is trusted already. Update that entry.`
      throw new AppError('trusted_issuers.taken', 409, message, { cause })
    }
  },

  /** Reads one that nobody else changes until the transaction ends. */
  async lock(db: DatabaseTransaction, id: string, at: Date): Promise<StoredIssuer | undefined> {
    const { count } = await db.trustedIssuer.updateMany({ where: { id }, data: { updatedAt: at } })
    return count === 0 ? undefined : await read(db, id)
  },

  /** Of one as `lock` gave it. */
  async update(
    db: DatabaseTransaction,
    { id, updatedAt }: StoredIssuer,
    draft: TrustedIssuerDraft,
  ): Promise<void> {
    await db.trustedIssuer.updateMany({ where: { id }, data: { ...writeRow(draft), updatedAt } })
  },

  async setDisabled(
    db: DatabaseTransaction,
    { id, updatedAt }: StoredIssuer,
    disabledAt: Date | null,
  ): Promise<void> {
    await db.trustedIssuer.updateMany({ where: { id }, data: { disabledAt, updatedAt } })
  },

  async remove(db: DatabaseTransaction, id: string): Promise<void> {
    await db.trustedIssuer.deleteMany({ where: { id } })
  },
}
