import { createHmac } from 'node:crypto'
import type { Context } from 'koa'
import type { Visit } from '../../features/feature.ts'
import { hashSecret, type UserId } from '../../kernel/ids.ts'
import type { Level } from '../../kernel/levels.ts'
import type { DeviceCookies } from '../device-cookie.ts'
import type { AccountView } from '../models.ts'
import { factsOf, localeOf } from '../page.ts'
import type { PagePorts } from '../ports.ts'

/** A visit, and what its pages say of the person. */
export interface AccountVisit extends Visit {
  readonly person: AccountView & { readonly administrator: boolean }
  /** What was proven at the sign-in. */
  readonly level: Level
}

export type VisitPorts = Pick<PagePorts, 'signIn' | 'people' | 'account' | 'clock' | 'factors'>

/** Who visits, and how lately he has proven who he is. */
export interface Visits {
  /** Who visits his account; `undefined` where nobody is signed in who may be served. */
  open(ctx: Context): Promise<AccountVisit | undefined>
  /**
   * Whether the person has proven who he is in the last minutes, and all that guards his account: where he had a second
   * step at that time, a device that he trusts does not stand for it.
   */
  isFresh(visit: AccountVisit): Promise<boolean>
  /** Where a person proves anew who he is, to be led back to a page of his account. */
  confirmPath(visit: AccountVisit, returnTo: string): string
  /** Whether a page was asked for by this person; somebody else may have signed in instead. */
  isFor(visit: Visit, mark: string): boolean
}

export function openVisits(ports: VisitPorts, devices: DeviceCookies): Visits {
  const { signIn, people, clock, account, factors } = ports
  const { key, reauthenticationSeconds } = account
  const markOf = (userId: string): string =>
    createHmac('sha256', key).update(`for.${userId}`).digest('base64url').slice(0, 22)

  return {
    async open(ctx) {
      const current = await signIn.signedIn(ctx)
      const person = current && (await people.view(current.userId))
      if (current === undefined || person === undefined) return undefined
      if (person.locale !== undefined) ctx.state.userLocale = person.locale
      return visitOf(ctx, { ...current, person, device: devices.read(ctx) })
    },

    async isFresh({ userId, authenticatedAt, level }) {
      if (clock.now().getTime() - authenticatedAt.getTime() >= reauthenticationSeconds * 1000) return false
      if (level !== 'single-factor') return true
      const steps = factors.filter(({ offers, backup }) => offers === 'second' && backup !== true)
      const enrolled = await Promise.all(steps.map((factor) => factor.enrolled(userId, authenticatedAt)))
      return !enrolled.includes(true)
    },

    confirmPath({ userId, person }, returnTo) {
      const mark = `${returnTo.includes('?') ? '&' : '?'}for=${markOf(userId)}`
      return signIn.signInPath({
        fresh: true,
        returnTo: `${returnTo}${mark}`,
        loginHint: person.email ?? person.username,
      })
    },

    isFor: ({ userId }, mark) => mark === markOf(userId),
  }
}

interface Visitor {
  readonly userId: string
  readonly sessionUid: string
  readonly authenticatedAt: Date
  readonly level: Level
  readonly person: AccountVisit['person']
  readonly device: string | undefined
}

function visitOf(
  ctx: Context,
  { userId: id, sessionUid, authenticatedAt, level, person, device }: Visitor,
): AccountVisit {
  const userId = id as UserId
  const request = factsOf(ctx)
  const locale = localeOf(ctx)
  const name = person.email ?? person.username ?? person.name ?? userId
  const holder = {
    id: hashSecret(sessionUid),
    user: { id: userId, name },
    request,
    locale,
    keep: { sessionUid },
  }
  return {
    userId,
    sessionUid,
    authenticatedAt,
    level,
    holder,
    request,
    locale,
    person,
    ...(device !== undefined && { device }),
  }
}
