import type { Provider } from 'oidc-provider'
import { newId } from '../../kernel/ids.ts'
import type { OutboundFetch } from '../outbound.ts'
import type { LogoutAnswer, SendLogout, ToldLogout } from './ports.ts'

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

interface Tools {
  /** The one with the keys of now. */
  readonly provider: () => Promise<Provider>
  readonly outbound: OutboundFetch
}

/** Sends logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.5), one attempt a call. */
export const openLogoutTokens =
  ({ provider, outbound }: Tools): SendLogout =>
  async (logout) => {
    const current = await provider()
    const client = await current.Client.find(logout.clientId)
    const uri = client?.backchannelLogoutUri
    if (client === undefined || uri === undefined) return 'not-wanted'
    const token = await logoutToken(current, client, logout)
    const response = await outbound(uri, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }).toString(),
    })
    // What it says beside its status is nobody's concern, however long it is.
    await response.body?.cancel().catch(() => undefined)
    return answerOf(response.status)
  }

/** By the library's own code, so that its key, its encryption and its `sub` are those of the client's ID tokens. */
async function logoutToken(
  { IdToken }: Provider,
  client: NonNullable<Awaited<ReturnType<Provider['Client']['find']>>>,
  { userId, sid }: ToldLogout,
): Promise<string> {
  const token = Object.assign(new IdToken({ sub: userId }, { client }), { mask: { sub: null } })
  token.set('events', { [logoutEvent]: {} })
  token.set('jti', newId())
  token.set('sid', sid)
  return await token.issue({ use: 'logout' })
}

function answerOf(status: number): LogoutAnswer {
  if (status >= 200 && status < 300) return 'told'
  if (status === 400) return 'refused'
  throw new Error(`The application answered with status ${status}.`)
}
