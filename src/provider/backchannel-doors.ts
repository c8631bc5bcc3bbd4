import { errors, type Grant, type Provider, type Session } from 'oidc-provider'
import { AppError } from '../kernel/errors.ts'
import { highest, isAtLeast, type Level } from '../kernel/levels.ts'
import { levelOf } from './assurance.ts'
import type { BackchannelDoors, WaitingRequest } from './backchannel-ports.ts'
import { requestOf } from './backchannel-requests.ts'
import { requestGone, waitingRequests } from './backchannel-rows.ts'
import type { CurrentInstance } from './current-instance.ts'
import { extend } from './grants.ts'
import type { ProviderDependencies } from './ports.ts'

/** How a person answers what applications ask of him while he is elsewhere. */
export function openBackchannelDoors(
  dependencies: ProviderDependencies,
  current: CurrentInstance,
): BackchannelDoors {
  const { ports } = dependencies
  const serverScopes = new Set(['openid', 'offline_access', ...Object.keys(ports.accounts.scopes)])
  const sessionOf = async (uid: string): Promise<Session | undefined> =>
    await findSession((await current.get()).provider, uid)

  async function missing(
    { clientId, levels }: WaitingRequest,
    sessionUid: string,
  ): Promise<Level | undefined> {
    const reached = levelOf((await sessionOf(sessionUid))?.acr) ?? 'single-factor'
    const own = (await ports.clients.find(clientId))?.requiredLevel ?? 'single-factor'
    const least = levels.toSorted((one, other) => (isAtLeast(one, other) ? 1 : -1))[0] ?? 'single-factor'
    const wanted = highest([own, least])
    return isAtLeast(reached, wanted) ? undefined : wanted
  }

  return {
    missing,

    async waiting(userId) {
      const all = await waitingRequests(dependencies, userId)
      return all.map((stored) => requestOf(stored, serverScopes))
    },

    async answer({ id, userId, sessionUid, approved }) {
      const stored = (await waitingRequests(dependencies, userId)).find((each) => each.id === id)
      if (stored === undefined) throw requestGone()
      const asked = requestOf(stored, serverScopes)
      const { provider } = await current.get()
      const request = await provider.BackchannelAuthenticationRequest.find(String(stored.payload.jti))
      if (request === undefined) throw requestGone()
      if (!approved) {
        await provider.backchannelResult(request, new errors.AccessDenied('the person refused'))
        return asked
      }
      if ((await missing(asked, sessionUid)) !== undefined) throw needsMore()
      const session = await sessionOf(sessionUid)
      if (session?.accountId !== userId) throw requestGone()
      await approve(provider, { request, session, asked })
      return asked
    },
  }
}

interface Approval {
  readonly request: InstanceType<Provider['BackchannelAuthenticationRequest']>
  readonly session: Session
  readonly asked: WaitingRequest
}

/** What is given belongs to the session in which it was approved, and ends with it, except offline access. */
async function approve(provider: Provider, { request, session, asked }: Approval): Promise<void> {
  const { clientId, scopes } = asked
  const grant = await grantIn(provider, session, asked)
  const offline = scopes.includes('offline_access')
  if (offline) Object.assign(session.authorizationFor(clientId), { persistsLogout: true })
  await session.persist()
  await provider.backchannelResult(request, grant, {
    acr: session.acr,
    amr: session.amr,
    authTime: session.authTime(),
    sessionUid: session.uid,
    expiresWithSession: !offline,
    sid: session.sidFor(clientId),
  })
}

const needsMore = (): AppError =>
  new AppError(
    'approvals.needs_more',
    403,
    'This request needs a stronger proof than you have given in this browser. Prove who you are again, then approve it.',
  )

const findSession = async (provider: Provider, uid: string): Promise<Session | undefined> =>
  await (provider.Session as unknown as { findByUid(uid: string): Promise<Session | undefined> }).findByUid(
    uid,
  )

/** The grant of this session and client with what is asked for, or a new one, known to the session. */
async function grantIn(provider: Provider, session: Session, asked: WaitingRequest): Promise<Grant> {
  const { clientId, userId, scopes, resources } = asked
  const known = session.grantIdFor(clientId)
  const before = known === undefined ? undefined : await provider.Grant.find(known)
  const grant = before ?? new provider.Grant({ accountId: userId, clientId })
  extend(grant, { scopes, claims: [], resources })
  session.grantIdFor(clientId, await grant.save())
  session.ensureClientContainer(clientId)
  return grant
}
