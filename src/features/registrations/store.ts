import { searchText } from '../../kernel/paging.ts'
import type { Page, PageRequest } from '../../kernel/resource.ts'
import { pageOf, pageQuery } from '../../storage/pages.ts'
import { removeBatch } from '../../storage/remove-batch.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { StoredInvitation } from './registrations.ts'

const shown = { id: true, email: true, createdAt: true, expiresAt: true, consumedAt: true } as const

const openInvitations = ({ db }: Storage) => ({
  async insert(
    within: DatabaseTransaction,
    invitation: Omit<StoredInvitation, 'consumedAt'> & { readonly tokenHash: string },
  ): Promise<void> {
    await within.invitation.createMany({ data: [invitation] })
  },

  find: async (id: string, within: DatabaseTransaction = db): Promise<StoredInvitation | undefined> =>
    (await within.invitation.findUnique({ where: { id }, select: shown })) ?? undefined,

  /** By the hash of what its link carries, if it can still be used. */
  findUsable: async (tokenHash: string, at: Date): Promise<StoredInvitation | undefined> =>
    (await db.invitation.findFirst({ where: usable(tokenHash, at), select: shown })) ?? undefined,

  /** True for exactly one of those who try. */
  async consume(within: DatabaseTransaction, tokenHash: string, at: Date): Promise<boolean> {
    const { count } = await within.invitation.updateMany({
      where: usable(tokenHash, at),
      data: { consumedAt: at },
    })
    return count === 1
  },

  /** False where it was used already or is gone. */
  async setEnd(within: DatabaseTransaction, id: string, expiresAt: Date): Promise<boolean> {
    const { count } = await within.invitation.updateMany({
      where: { id, consumedAt: null },
      data: { expiresAt },
    })
    return count === 1
  },

  async remove(within: DatabaseTransaction, id: string): Promise<boolean> {
    return (await within.invitation.deleteMany({ where: { id } })).count === 1
  },
})

const usable = (tokenHash: string, at: Date) => ({ tokenHash, consumedAt: null, expiresAt: { gt: at } })

const openListing = ({ db }: Storage) => ({
  /** Oldest first. Throws `page.bad_cursor` and `page.bad_search`. */
  async list(request: PageRequest): Promise<Page<StoredInvitation>> {
    const search = searchText(request.search)?.toLowerCase()
    const { beyond, orderBy, take } = pageQuery(request)
    const found = search === undefined ? {} : { email: { contains: search } }
    const rows = await db.invitation.findMany({
      select: shown,
      where: { ...found, ...beyond },
      orderBy,
      take,
    })
    return pageOf(rows, request, (row) => row)
  },

  /** Removes at most one batch of those that ended before `at`; true when more may be left. */
  removeEnded(at: Date): Promise<boolean> {
    const where = { expiresAt: { lte: at } }
    return removeBatch(
      (take) => db.invitation.findMany({ where, select: { id: true }, take }),
      (rows) => db.invitation.deleteMany({ where: { id: { in: rows.map(({ id }) => id) } } }),
    )
  },
})

export const openInvitationStore = (storage: Storage) => ({
  ...openInvitations(storage),
  ...openListing(storage),
})
export type InvitationStore = ReturnType<typeof openInvitationStore>
