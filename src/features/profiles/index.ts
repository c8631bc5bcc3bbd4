/**
 * Owns what is known of people beside their accounts: configured fields, pictures, and the claims that tell of them.
 * Does not own names, address, language and time zone, which are the user's; its pages let the person change them there.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Claims, Feature } from '../feature.ts'
import type { Users } from '../users/index.ts'
import { openChanging } from './changing.ts'
import { profileClaims } from './claims.ts'
import { profileCommands } from './commands.ts'
import { profileFields } from './fields.ts'
import { type Language, languagePanel } from './language-panel.ts'
import { fieldsPanel, namesPanel, picturePanel } from './panels.ts'
import { openRaster } from './raster.ts'
import { type ProfileFields, registering } from './registering.ts'
import type { settings } from './settings.ts'
import { openProfileStore, type PictureSize } from './store.ts'

export { profilesDefinition } from './commands.ts'
export type { Language } from './language-panel.ts'
export type { ProfileFields } from './registering.ts'

export interface ProfileDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly users: Users
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer, the only source of the pictures' addresses. */
  readonly issuer: string
  /** The languages of the pages. */
  readonly languages: () => Promise<readonly Language[]>
}

export interface Profiles {
  /** Of the person's picture, for a small place; `undefined` where there is none. */
  picturePath(userId: UserId): Promise<string | undefined>
  findPicture(
    id: string,
    size: PictureSize,
  ): Promise<{ readonly type: string; readonly body: Buffer } | undefined>
  /** What is asked for when an account is made. */
  readonly newPerson: ProfileFields
}

export interface ProfilesFeature extends Feature {
  readonly profiles: Profiles
  readonly claims: Claims
}

const pathOf = (id: string, size: PictureSize): string => `/picture/${id}${size === 'small' ? '/small' : ''}`

export function openProfiles(dependencies: ProfileDependencies): ProfilesFeature {
  const { storage, clock, settings, issuer } = dependencies
  const store = openProfileStore(storage)
  const fields = profileFields(settings.fields)
  const changing = openChanging({ ...dependencies, store, makeRaster: openRaster() })
  const pictureUrl = (id: string): string => `${issuer}${pathOf(id, 'full')}`
  const tools = {
    ...dependencies,
    fields,
    changing,
    pictureUrl,
    get: store.get,
    now: clock.now,
    picturePath: pathOf,
  }

  return {
    name: 'profiles',
    profiles: {
      async picturePath(userId) {
        const { pictureId } = await store.get(userId)
        return pictureId === undefined ? undefined : pathOf(pictureId, 'small')
      },
      findPicture: store.findPicture,
      newPerson: registering({ ...tools, store }),
    },
    claims: profileClaims(tools),
    panels: [picturePanel(tools), namesPanel(tools), fieldsPanel(tools), languagePanel(tools)],
    commands: profileCommands(tools),
    async export(userId) {
      const { fields: values, pictureId, pictureAt } = await store.get(userId)
      const picture = pictureId && { address: pictureUrl(pictureId), updatedAt: pictureAt?.toISOString() }
      return { fields: values, ...(picture && { picture }) }
    },
  }
}
