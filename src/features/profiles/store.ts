import { newSecret } from '../../kernel/ids.ts'
import { openRevisionedCache } from '../../storage/revisioned-cache.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { FieldChanges, FieldValues } from './fields.ts'
import type { Raster } from './raster.ts'

/** What is known of a person beside his account. */
export interface Profile {
  readonly fields: FieldValues
  /** Of his picture, in its address. */
  readonly pictureId: string | undefined
  readonly pictureAt: Date | undefined
}

/** The two sizes in which a picture is kept. */
export type PictureSize = 'full' | 'small'

const cachedProfiles = 10_000
/** 128 bits, so that nobody finds a picture whose address he was not told. */
const pictureIdBytes = 16
const pictureIdSyntax = /^[\w-]{22}$/

export function openProfileStore(storage: Pick<Storage, 'db' | 'revision'>) {
  const { db } = storage
  // Each change of a profile is one of its user, too, and raises the revision with him.
  const cache = openRevisionedCache<Profile>(() => storage.revision('users'), cachedProfiles)

  const read = async (userId: string): Promise<Profile> => {
    const [profile, picture] = await Promise.all([
      db.profile.findUnique({ where: { userId }, select: { fields: true } }),
      db.picture.findUnique({ where: { userId }, select: { id: true, updatedAt: true } }),
    ])
    return { fields: fieldsIn(profile), pictureId: picture?.id, pictureAt: picture?.updatedAt }
  }

  return {
    /** As of the last change that is known here; every ID token asks for it. */
    get: async (userId: string): Promise<Profile> =>
      (await cache.get(userId, () => read(userId))) ?? (await read(userId)),

    /** Called when this process has changed a profile, as the notice of that may still be on its way. */
    forget: cache.drop,

    /** The fields as the transaction sees them, changed; those not named stay. */
    async change(within: DatabaseTransaction, userId: string, { changes, at }: Change): Promise<void> {
      const stored = await within.profile.findUnique({ where: { userId }, select: { fields: true } })
      const next = Object.entries({ ...fieldsIn(stored), ...changes }).filter(([, value]) => value !== null)
      const fields = JSON.stringify(Object.fromEntries(next))
      await within.profile.upsert({
        where: { userId },
        create: { userId, fields, updatedAt: at },
        update: { fields, updatedAt: at },
      })
    },

    /** In place of the one before, under another identifier. */
    async putPicture(
      within: DatabaseTransaction,
      userId: string,
      { raster, at }: NewPicture,
    ): Promise<string> {
      const id = newSecret(pictureIdBytes)
      const { type } = raster
      const data = { id, type, body: bytes(raster.body), small: bytes(raster.small), updatedAt: at }
      await within.picture.upsert({ where: { userId }, create: { ...data, userId }, update: data })
      return id
    },

    removePicture: async (within: DatabaseTransaction, userId: string): Promise<boolean> =>
      (await within.picture.deleteMany({ where: { userId } })).count > 0,

    async findPicture(id: string, size: PictureSize): Promise<{ type: string; body: Buffer } | undefined> {
      if (!pictureIdSyntax.test(id)) return undefined
      const found = await db.picture.findUnique({
        where: { id },
        select: { type: true, body: size === 'full', small: size === 'small' },
      })
      const body = size === 'full' ? found?.body : found?.small
      return found === null || body === undefined ? undefined : { type: found.type, body: Buffer.from(body) }
    },
  }
}

export type ProfileStore = ReturnType<typeof openProfileStore>

interface Change {
  readonly changes: FieldChanges
  readonly at: Date
}

interface NewPicture {
  readonly raster: Raster
  readonly at: Date
}

const fieldsIn = (row: { readonly fields: string } | null): FieldValues =>
  row === null ? {} : (JSON.parse(row.fields) as FieldValues)

const bytes = (buffer: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(buffer)
