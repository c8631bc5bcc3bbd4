import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { hashSecret } from '../../kernel/ids.ts'
import type { Area } from '../area.ts'
import { openPolling, pollingSeconds } from '../device/rows.ts'
import { eachOrUnavailable } from '../errors.ts'
import { requested } from '../grants/grants.ts'
import type { InstanceInputs, OptionInputs } from '../inputs.ts'
import { resolveHints } from './hints.ts'
import { requestOf, tokenPlace } from './requests.ts'
import { waitingRequests } from './rows.ts'

/** Text that a person can read aloud and compare (CIBA Core 1.0 §7.1). */
const bindingMessage = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u
/** What a mail program might turn into a link, in a mail of ours with the words of somebody else. */
const looksLikeAddress = /[/\\\u2044\u2215\uff0f]|[.\u3002\uff0e\uff61]\p{L}/u
const shortestSeconds = 30
const longestSeconds = 600
/** A person who has not answered so many is asked nothing more by the same application. */
const waitingAtMost = 3

/** Asking for a person who is elsewhere (OpenID Connect Client-Initiated Backchannel Authentication 1.0). */
export const backchannelAuthentication: Area = {
  options: (inputs) => ({
    ttl: {
      BackchannelAuthenticationRequest: (ctx) => {
        const asked = Number(ctx?.oidc?.params?.requested_expiry ?? longestSeconds / 2)
        return Math.max(shortestSeconds, Math.min(longestSeconds, asked))
      },
    },
    features: { ciba: { enabled: true, deliveryModes: ['poll', 'ping'], ...callbacks(inputs) } },
  }),

  extend(provider, inputs) {
    sealNotificationTokens(provider, inputs)
    askForWhatCanBeGiven(provider)
    tellThroughOutbox(provider, inputs)
    slowDown(provider, inputs)
    resolveHints(provider, inputs)
    denyUserCodes(provider)
  },
}

/** The library tells of them in the discovery document wherever a person can be asked; they are refused here. */
function denyUserCodes(provider: Provider): void {
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.oidc?.route === 'discovery')
      Reflect.deleteProperty(ctx.body as object, 'backchannel_user_code_parameter_supported')
  })
}

function callbacks(inputs: OptionInputs) {
  const { ports } = inputs
  return {
    async processLoginHint(_ctx: unknown, hint = '') {
      return (await ports.backchannel.findByHint(hint))?.id
    },
    async processLoginHintToken() {
      throw new errors.InvalidRequest('login_hint_token is not supported, use login_hint or id_token_hint')
    },
    async validateBindingMessage(_ctx: unknown, message?: string) {
      if (message === undefined) return
      if (!bindingMessage.test(message) || looksLikeAddress.test(message))
        throw new errors.InvalidBindingMessage(
          'binding_message must be 1 to 64 letters, digits, signs and spaces, and no address: no slash, and no letter behind a dot',
        )
    },
    async validateRequestContext({ oidc }: KoaContextWithOIDC, context?: string) {
      // The library reads them where types are registered. Else it drops them, from a request object silently; those of a
      // form are refused here.
      if (inputs.authorizationTypes.length === 0 && oidc.body?.authorization_details !== undefined)
        throw new errors.InvalidAuthorizationDetails('no type of authorization details is registered here')
      if (context !== undefined) throw new errors.InvalidRequest('request_context is not supported')
    },
    async verifyUserCode(ctx: KoaContextWithOIDC, account: { accountId: string }, userCode?: string) {
      if (userCode !== undefined) throw new errors.InvalidRequest('user_code is not supported, leave it out')
      const waiting = await waitingRequests(inputs, account.accountId)
      const own = waiting.filter(({ payload }) => payload.clientId === ctx.oidc.client?.clientId)
      if (own.length >= waitingAtMost)
        throw new errors.AccessDenied('the person has not answered earlier requests yet')
    },
    async triggerAuthenticationDevice(ctx: KoaContextWithOIDC, request: BackchannelRequest) {
      Object.assign(ctx.body as object, { interval: pollingSeconds })
      // The library writes both into what it stores alone.
      const iat = Math.floor(inputs.clock.now().getTime() / 1000)
      const payload = { ...request, iat, exp: iat + request.expiration }
      await ports.backchannel.asked(
        requestOf({ id: hashSecret(request.jti), payload }, inputs.adapter.serverScopes),
      )
    },
  }
}

type BackchannelRequest = InstanceType<Provider['BackchannelAuthenticationRequest']>

/** The token by which we show who we are when we tell an application is a secret of that application. */
function sealNotificationTokens(provider: Provider, { sealing }: InstanceInputs): void {
  const { prototype } = provider.BackchannelAuthenticationRequest
  const { save } = prototype
  prototype.save = async function sealed(...args) {
    const token = this.params?.client_notification_token
    if (typeof token === 'string') {
      this.jti ??= (this as unknown as { generateTokenId(): string }).generateTokenId()
      const { client_notification_token: _, ...params } = this.params as Record<string, unknown>
      this.params = { ...params, sealed_notification_token: sealing.seal(token, tokenPlace(this.jti)) }
    }
    return await save.apply(this, args)
  }
}

/** A scope that there is not, or that the client may not have, is none that a person is asked about. */
function askForWhatCanBeGiven({ BackchannelAuthenticationRequest: { prototype } }: Provider): void {
  const { save } = prototype
  prototype.save = async function narrowed(...args) {
    const ctx = Provider.ctx as KoaContextWithOIDC | undefined
    if (ctx?.oidc.route === 'backchannel_authentication') {
      const { scopes, resources } = requested(ctx)
      this.scope = [...new Set([...scopes, ...Object.values(resources).flat()])].join(' ')
    }
    return await save.apply(this, args)
  }
}

/** In place of the library's single attempt. */
function tellThroughOutbox(provider: Provider, { ports, sealing }: InstanceInputs): void {
  provider.Client.prototype.backchannelPing = async function ping(request: BackchannelRequest) {
    const { backchannelClientNotificationEndpoint: endpoint } =
      (await ports.clients.find(this.clientId)) ?? {}
    const sealed = request.params?.sealed_notification_token
    if (endpoint === undefined || typeof sealed !== 'string') return
    await ports.backchannel.tell({
      clientId: this.clientId,
      endpoint,
      token: sealing.open(sealed, tokenPlace(request.jti)),
      authReqId: request.jti,
      expiresAt: new Date((request.exp ?? 0) * 1000).toISOString(),
    })
  }
}

type FindArguments = [value: string, options?: { ignoreExpiration?: boolean | undefined }]

/** CIBA Core 1.0 §11: who polls too fast while nobody has answered is told so, by each process alike. */
function slowDown(provider: Provider, { storage, clock }: InstanceInputs): void {
  const { BackchannelAuthenticationRequest } = provider
  const polling = eachOrUnavailable(openPolling(storage, 'BackchannelAuthenticationRequest'))
  const find = BackchannelAuthenticationRequest.find.bind(BackchannelAuthenticationRequest) as (
    ...args: FindArguments
  ) => Promise<BackchannelRequest | undefined>
  const paced = async (...args: FindArguments): Promise<BackchannelRequest | undefined> => {
    const [value] = args
    const oidc = (Provider.ctx as KoaContextWithOIDC | undefined)?.oidc
    const clientId = oidc?.client?.clientId
    if (oidc?.route !== 'token' || clientId === undefined || typeof value !== 'string')
      return await find(...args)
    if (await polling.waits(value, clientId, clock.now())) throw new errors.AuthorizationPending()
    const request = await find(...args)
    const waiting =
      request?.grantId === undefined && request?.error === undefined && request?.isExpired === false
    if (!waiting || request.clientId !== clientId) return request
    await polling.slowDown(value, clock.now())
    throw new errors.SlowDown()
  }
  BackchannelAuthenticationRequest.find = paced as typeof BackchannelAuthenticationRequest.find
}
