import type { ActOutcome, Panel } from '../feature.ts'
import type { Users } from '../users/index.ts'
import type { Changing } from './changing.ts'
import { changeOf } from './panels.ts'
import { languageUnknown, zoneUnknown } from './profiles.ts'
import { zonesWith } from './zones.ts'

export interface Language {
  /** BCP 47. */
  readonly tag: string
  /** In its own words. */
  readonly name: string
}

export interface LanguagePanelDependencies {
  readonly users: Pick<Users, 'get'>
  readonly changing: Pick<Changing, 'details'>
  /** Those that the pages have. */
  readonly languages: () => Promise<readonly Language[]>
}

/** The language of pages and mails, and the time zone, which applications are told. */
export function languagePanel({ users, changing, languages }: LanguagePanelDependencies): Panel {
  return {
    name: 'language',
    page: 'profile',
    order: 40,

    async show({ userId }) {
      const { locale, zoneinfo } = await users.get(userId)
      const known = await languages()
      return {
        template: 'profiles/language',
        model: {
          locale: locale ?? '',
          zoneinfo: zoneinfo ?? '',
          languages: withOther(known, locale),
          zones: zonesWith(zoneinfo),
        },
      }
    },

    acts: {
      save: {
        async run(visit, { locale = '', zoneinfo = '' }): Promise<ActOutcome> {
          const user = await users.get(visit.userId)
          const tags = withOther(await languages(), user.locale).map(({ tag }) => tag)
          if (locale !== '' && !tags.includes(locale)) throw languageUnknown()
          if (zoneinfo !== '' && !zonesWith(user.zoneinfo).includes(zoneinfo)) throw zoneUnknown()
          const details = { locale: locale || null, zoneinfo: zoneinfo || null }
          await changing.details(visit.userId, details, changeOf(visit))
          return { notice: { key: 'profiles.saved' } }
        },
      },
    },
  }
}

/** What somebody else has set, such as de-AT, can stay. */
const withOther = (languages: readonly Language[], own: string | null): readonly Language[] =>
  own === null || languages.some(({ tag }) => tag === own)
    ? languages
    : [{ tag: own, name: new Intl.DisplayNames(own, { type: 'language' }).of(own) ?? own }, ...languages]
