import { errors, type Provider } from 'oidc-provider'
import { distinctDetails } from '../../kernel/authorization-details.ts'
import { AppError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { highest, isAtLeast, type Level } from '../../kernel/levels.ts'
import type { Payload } from '../artefacts/payload.ts'
import { levelOf } from '../assurance.ts'
import { serverScopesOf } from '../client-metadata.ts'
import type { CurrentInstance } from '../current-instance.ts'
import { grantOf } from '../grants/known-grants.ts'
import type { Instance } from '../instance.ts'
import type { ProviderDependencies } from '../ports.ts'
import type { Authorization } from '../sessions/sessions.ts'
import type { BackchannelDoors, WaitingRequest } from './ports.ts'
import { requestOf } from './requests.ts'
import { isUnclaimed, requestGone, waitingRequests } from './rows.ts'

/** How a person answers what applications ask of him while he is elsewhere. */
export function openBackchannelDoors(
  dependencies: ProviderDependencies,
  current: CurrentInstance,
): BackchannelDoors {
  const { ports, artefacts, clock } = dependencies
  const serverScopes = serverScopesOf(ports.accounts)
  const sessionOf = async (uid: string): Promise<Payload | undefined> =>
    await (await current.get()).sessions.findByUid(uid)

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
    isUnclaimed: (authReqId) => isUnclaimed(dependencies, authReqId),

    async waiting(userId) {
      const all = await waitingRequests(dependencies, userId)
      return all.map((stored) => requestOf(stored, serverScopes))
    },

    async answer({ id, userId, sessionUid, approved }) {
      const stored = (await waitingRequests(dependencies, userId)).find((each) => each.id === id)
      if (stored === undefined) throw requestGone()
      const asked = requestOf(stored, serverScopes)
      const instance = await current.get()
      const request = await instance.provider.BackchannelAuthenticationRequest.find(
        String(stored.payload.jti),
      )
      if (request === undefined) throw requestGone()
      if (approved && (await missing(asked, sessionUid)) !== undefined) throw needsMore()
      // The first answer counts, before anything is given for it.
      const secondsLeft = Math.max(1, Math.ceil((asked.expiresAt.getTime() - clock.now().getTime()) / 1000))
      if (!(await artefacts.insertOnce('BackchannelAnswer', request.jti, secondsLeft))) throw requestGone()
      if (approved) await approve(instance, { request, asked, sessionUid })
      else await instance.provider.backchannelResult(request, new errors.AccessDenied('the person refused'))
      return asked
    },
  }
}

interface Approval {
  readonly request: InstanceType<Provider['BackchannelAuthenticationRequest']>
  readonly asked: WaitingRequest
  readonly sessionUid: string
}

/** What is given belongs to the session in which it was approved, and ends with it, except offline access. */
async function approve(
  { provider, sessions }: Pick<Instance, 'provider' | 'sessions'>,
  { request, asked, sessionUid }: Approval,
): Promise<void> {
  const { clientId, userId, scopes, resources, authorizationDetails } = asked
  const { authorizations = {} } = ((await sessions.findByUid(sessionUid)) ?? {}) as {
    authorizations?: Readonly<Record<string, Authorization>>
  }
  const { grantId: known, sid = newId() } = authorizations[clientId] ?? {}
  const existing = known === undefined ? undefined : await provider.Grant.find(known)
  const allowed = { scopes, claims: [], resources, authorizationDetails }
  const grant = await grantOf(provider, { accountId: userId, clientId }, { existing, allowed })
  const offline = scopes.includes('offline_access')
  const session = await sessions.authorize(sessionUid, clientId, {
    sid,
    grantId: grant.jti,
    ...(offline && { persistsLogout: true }),
  })
  if (session?.accountId !== userId) {
    // Ended meanwhile, and with it what would have been given.
    await grant.destroy()
    throw requestGone()
  }
  await provider.backchannelResult(request, grant, {
    acr: session.acr as string,
    amr: session.amr as string[],
    authTime: session.loginTs as number,
    sessionUid,
    expiresWithSession: !offline,
    sid,
    ...(authorizationDetails.length > 0 && { rar: [...distinctDetails(authorizationDetails)] }),
  })
}

const needsMore = (): AppError =>
  new AppError(
    'approvals.needs_more',
    403,
    'This request needs a stronger proof than you have given in this browser. Prove who you are again, then approve it.',
  )
