import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import type { Area } from '../area.ts'
import type { InstanceInputs } from '../inputs.ts'
import { refuseOnArrival } from './arrival.ts'
import { refuseRequest } from './requests.ts'
import { by, rulesOf, type SecurityProfiles } from './rules.ts'
import { refuseUnbound } from './tokens.ts'

/** The security profiles that a client can keep to: what each refuses, in words that name it. */
export const profiles: Area = {
  options: ({ ports }) => ({
    responseTypes: [...ports.profiles.responseTypes, 'none'] as Configuration['responseTypes'] & object,
    extraClientMetadata: { properties: ['security_profile'] },
    pkce: { required: (ctx, client) => needsChallenge(ctx, client, ports.profiles) },
    features: {
      fapi: {
        enabled: true,
        // Asked as soon as an error is told, too, when nobody knows yet whose request it was.
        profile: (_ctx, client: Client | undefined) => client && rulesOf(ports.profiles, client).fapi,
      },
    },
  }),

  extend: (provider, inputs) => {
    lookAtEach(provider, inputs)
    const { profiles } = inputs.ports
    const { grantTypeAllowed, responseModeAllowed } = provider.Client.prototype
    provider.Client.prototype.responseModeAllowed = function allowed(mode, type, fapi) {
      const ctx = Provider.ctx
      if (ctx !== undefined) refuseRequest(rulesOf(profiles, this), ctx, profiles.responseTypes)
      return responseModeAllowed.call(this, mode, type, fapi)
    }
    provider.Client.prototype.grantTypeAllowed = function allowed(type) {
      const ctx = Provider.ctx
      const has = grantTypeAllowed.call(this, type)
      if (has && ctx?.oidc.route === 'token') refuseUnbound(rulesOf(profiles, this), this, ctx)
      return has
    }
  },
}

/** RFC 7636, as the profile wants it; asked where a request for a code carries no challenge. */
function needsChallenge(ctx: KoaContextWithOIDC, client: Client, profiles: SecurityProfiles): boolean {
  const rules = rulesOf(profiles, client)
  const pushed =
    ctx.oidc.route === 'pushed_authorization_request' ||
    ctx.oidc.entities.PushedAuthorizationRequest !== undefined
  const needed = {
    always: true,
    pushed,
    // Whoever proves nothing when the code is redeemed could be anybody (RFC 9700 §2.1.1).
    public: client.clientAuthMethod === 'none',
  }[rules.pkce]
  if (!needed) return false
  throw new errors.InvalidRequest(`PKCE is required${by(rules)}: send code_challenge with S256`)
}

/** Each request is looked at once, when its client has been found and before the library has its own say. */
function lookAtEach(provider: Provider, { ports, clock, issuer }: InstanceInputs): void {
  const { Client } = provider
  const seen = new WeakSet<object>()
  const find = Client.find.bind(Client)
  Client.find = async (id) => {
    const client = await find(id)
    const ctx = Provider.ctx
    if (client === undefined) {
      const name = typeof id === 'string' ? await ports.profiles.refused(id) : undefined
      if (name === undefined) return undefined
      const description = `this server does not allow the security profile or response types of the client (${name})`
      throw new errors.UnauthorizedClient(description)
    }
    // An error is told to the application, for which the library looks it up once more.
    if (ctx === undefined || ctx.oidc.client !== undefined || seen.has(ctx)) return client
    seen.add(ctx)
    refuseOnArrival(rulesOf(ports.profiles, client), ctx, { issuer, now: clock.now() })
    return client
  }
}
