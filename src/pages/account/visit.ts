import { createHmac } from 'node:crypto'
import type { Context } from 'koa'
import type { Visit } from '../../features/feature.ts'
import { hashSecret, type UserId } from '../../kernel/ids.ts'
import type { DeviceCookies } from '../device-cookie.ts'
import type { AccountView } from '../models.ts'
import { factsOf, localeOf } from '../page.ts'
import type { PagePorts } from '../ports.ts'

/** A visit, and what its pages say of the person. */
export interface AccountVisit extends Visit {
  readonly person: AccountView & { readonly administrator: boolean }
}

export type VisitPorts = Pick<PagePorts, 'signIn' | 'people' | 'account' | 'clock'>

export interface Visits {
  /** Who visits his account; `undefined` where nobody is signed in who may be served. */
  open(ctx: Context): Promise<AccountVisit | undefined>
  /** Whether the person has proven who he is in the last minutes. */
  isFresh(visit: Visit): boolean
  /** Where a person proves anew who he is, to be led back to a page of his account. */
  confirmPath(visit: AccountVisit, returnTo: string): string
  /** Whether a page was asked for by this person; somebody else may have signed in instead. */
  isFor(visit: Visit, mark: string): boolean
}

export function openVisits(ports: VisitPorts, devices: DeviceCookies): Visits {
  const { signIn, people, clock, account } = ports
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

    isFresh: ({ authenticatedAt }) =>
      clock.now().getTime() - authenticatedAt.getTime() < reauthenticationSeconds * 1000,

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
  readonly person: AccountVisit['person']
  readonly device: string | undefined
}

function visitOf(
  ctx: Context,
  { userId: id, sessionUid, authenticatedAt, person, device }: Visitor,
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
    holder,
    request,
    locale,
    person,
    ...(device !== undefined && { device }),
  }
}
