import { decodeJwt } from 'jose'
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import type { Area } from './area.ts'
import type { OptionInputs } from './inputs.ts'
import { rulesOf } from './profiles/rules.ts'

type Inputs = Pick<OptionInputs, 'ports' | 'settings'>

/**
 * Nonces in DPoP proofs (RFC 9449 §8, §9). A proof with one is fresh whatever the client's clock says, and was not made
 * beforehand. Each nonce is told in `DPoP-Nonce` and good for about two minutes, at every process of the server.
 */
export const dpopNonces: Area = {
  options: (inputs) => ({
    extraClientMetadata: { properties: ['dpop_nonce_required'] },
    features: {
      dPoP: { enabled: true, requireNonce: (ctx: KoaContextWithOIDC) => isNeeded(inputs, ctx.oidc.client) },
    },
  }),

  extend(provider, inputs) {
    // User information looks at the proof before it knows whose token it is, so that the client's own rule waits until here.
    const { AccessToken, Client } = provider
    const find = AccessToken.find.bind(AccessToken) as Find
    const checked: Find = async (value, options) => {
      const token = await find(value, options)
      const ctx = Provider.ctx
      if (token?.clientId === undefined || ctx?.oidc.route !== 'userinfo') return token
      const proof = ctx.get('dpop')
      if (proof === '' || hasNonce(proof)) return token
      if (isNeeded(inputs, await Client.find(token.clientId))) {
        throw new errors.UseDpopNonce('nonce is required in the DPoP proof')
      }
      return token
    }
    Object.assign(AccessToken, { find: checked })
  },
}

type Find = (
  value: string,
  options?: { ignoreExpiration?: boolean },
) => Promise<{ readonly clientId?: string | undefined } | undefined>

function isNeeded({ ports, settings }: Inputs, client: Client | undefined): boolean {
  if (settings.dpopNonces === 'required') return true
  if (client === undefined) return false
  if (client.dpop_nonce_required === true) return true
  return settings.dpopNonces === 'fapi' && rulesOf(ports.profiles, client).fapi !== undefined
}

/** The library has verified the proof and its nonce by now. */
const hasNonce = (proof: string): boolean => typeof decodeJwt(proof).nonce === 'string'
