import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { AppError } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { Area } from '../area.ts'
import type { Payload } from '../artefacts/payload.ts'
import { eachOrUnavailable } from '../errors.ts'
import { requested } from '../grants/grants.ts'
import type { InstanceInputs } from '../inputs.ts'
import { deviceApproved, deviceCodeInput } from './pages.ts'
import type { DeviceFacts } from './ports.ts'
import { openPolling, pollingSeconds } from './rows.ts'

/** A code without what people type for reading's sake. */
const userCode = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/

/** The device authorization grant (RFC 8628). */
export const deviceFlow: Area = {
  options: ({ ports, settings }) => ({
    ttl: { DeviceCode: settings.deviceCodeTtlSeconds },
    features: {
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: (ctx) => ({ ...deviceFacts(ctx) }),
        userCodeInputSource: (ctx, ...[, out, error]) => deviceCodeInput(ports, ctx, { out, error }),
        // The code is confirmed on our own page before it is sent, and the whole request after the sign-in.
        userCodeConfirmSource: (ctx) => deviceCodeInput(ports, ctx, {}),
        successSource: (ctx) => deviceApproved(ports, ctx),
      },
    },
  }),

  extend(provider, inputs) {
    announceInterval(provider)
    refuseNothing(provider)
    keepDemands(provider)
    slowDown(provider, inputs)
    throttleGuesses(provider, inputs)
    ownFormToken(provider, inputs)
  },
}

const deviceFacts = (ctx: KoaContextWithOIDC): DeviceFacts => {
  const { address, userAgent } = ctx.state.facts as RequestFacts
  return { address, userAgent }
}

/** RFC 8628 §3.2: `interval`, which the library leaves out. The listener is called before the answer is sent. */
function announceInterval(provider: Provider): void {
  provider.on('device_authorization.success', (_ctx, response) => {
    Object.assign(response, { interval: pollingSeconds })
  })
}

/**
 * RFC 6749 §3.3, RFC 8628 §3.1: where nothing is left of what was asked for, whoever holds the device would be led through
 * a sign-in at whose end there is nothing to allow. What is left of it is asked for, as everywhere.
 */
function refuseNothing({ DeviceCode: { prototype } }: Provider): void {
  const { save } = prototype
  prototype.save = async function refuse(...args) {
    const ctx = Provider.ctx as KoaContextWithOIDC | undefined
    if (ctx?.oidc.route === 'device_authorization') {
      const { scopes, resources, authorizationDetails = [] } = requested(ctx)
      if (scopes.length + Object.keys(resources).length + authorizationDetails.length === 0)
        throw new errors.InvalidScope(
          'nothing that was asked for can be given: ask for a scope that the client may have, of the server or of a resource that is named',
          String(ctx.oidc.body?.scope ?? ''),
        )
    }
    return await save.apply(this, args)
  }
}

/**
 * A device cannot say `prompt`, and the library turns `max_age=0` into one and loses it on the way. Both mean that the person
 * proves anew who he is, and are kept as `max_age=0` with the code.
 */
function keepDemands(provider: Provider): void {
  const { save } = provider.DeviceCode.prototype
  provider.DeviceCode.prototype.save = async function keep(...args) {
    const { oidc } = (Provider.ctx ?? {}) as Partial<KoaContextWithOIDC>
    if (oidc?.route === 'device_authorization') {
      if (provesAnew(oidc)) this.params = { ...this.params, max_age: '0' }
    }
    // OpenID Connect Core 1.0 §2: what the request said goes into its ID token, whichever grant gives it.
    if (this.accountId !== undefined && typeof this.params?.nonce === 'string') this.nonce = this.params.nonce
    return await save.apply(this, args)
  }
}

function provesAnew({ body, client }: KoaContextWithOIDC['oidc']): boolean {
  const { prompt = '', max_age: maximumAge = client?.defaultMaxAge } = (body ?? {}) as Payload
  return String(prompt).split(' ').includes('login') || (maximumAge !== undefined && Number(maximumAge) === 0)
}

type Code = InstanceType<Provider['DeviceCode']>
type FindArguments = [value: string, options?: { ignoreExpiration?: boolean | undefined }]

/**
 * RFC 8628 §3.5: who polls too fast while nobody has decided is told so, by each process alike. Only the code's own client
 * can make it wait.
 */
function slowDown(provider: Provider, { storage, clock }: InstanceInputs): void {
  const { DeviceCode } = provider
  const polling = eachOrUnavailable(openPolling(storage))
  const find = DeviceCode.find.bind(DeviceCode) as (...args: FindArguments) => Promise<Code | undefined>
  const paced = async (...args: FindArguments): Promise<Code | undefined> => {
    const [value] = args
    const oidc = (Provider.ctx as KoaContextWithOIDC | undefined)?.oidc
    const clientId = oidc?.client?.clientId
    if (oidc?.route !== 'token' || clientId === undefined || typeof value !== 'string')
      return await find(...args)
    if (await polling.waits(value, clientId, clock.now())) throw new errors.AuthorizationPending()
    const code = await find(...args)
    const waiting = code?.accountId === undefined && code?.error === undefined && code?.isExpired === false
    if (!waiting || code.clientId !== clientId) return code
    await polling.slowDown(value, clock.now())
    throw new errors.SlowDown()
  }
  DeviceCode.find = paced as typeof DeviceCode.find
}

/** Looks only up what has the form of a code and was not guessed at too often (RFC 8628 §5.1). */
function throttleGuesses(provider: Provider, { ports }: InstanceInputs): void {
  const { DeviceCode } = provider
  const find = DeviceCode.findByUserCode.bind(DeviceCode)
  DeviceCode.findByUserCode = async (typed, options) => {
    const ctx = Provider.ctx as KoaContextWithOIDC
    const admission = await admitted(() => ports.devices.admit(ctx, ctx.oidc.session?.accountId))
    const code = userCode.test(typed) ? await find(typed, options) : undefined
    if (code !== undefined) await admission.withdraw()
    return code
  }
}

async function admitted<T>(admit: () => Promise<T>): Promise<T> {
  try {
    return await admit()
  } catch (error) {
    throw error instanceof AppError && error.status === 429 ? new TooManyGuesses(error) : error
  }
}

/** The throttle's refusal in the library's shape; `cause` says how long to wait. */
export class TooManyGuesses extends errors.OIDCProviderError {
  override readonly cause: AppError

  constructor(cause: AppError) {
    super(429, 'slow_down')
    this.cause = cause
    this.error_description = 'too many codes were tried, wait before the next one'
    this.expose = true
  }
}

/**
 * The library keeps its form token in the session and renews it with each page, so that a second tab or a second click
 * would find its form outdated, and every visitor would get a session. The form carries the token of all our forms.
 */
function ownFormToken(provider: Provider, { ports }: InstanceInputs): void {
  const { Session } = provider
  const get = Session.get.bind(Session)
  Session.get = async (ctx) => {
    const session = await get(ctx)
    if (ctx.oidc?.route === 'code_verification') session.state = { secret: ports.devices.formToken(ctx) }
    return session
  }
}
