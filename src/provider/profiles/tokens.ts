import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { by, described, type ProfileRules } from './rules.ts'

/**
 * Refuses a token request that would give a token which anybody could use, where the profile demands one that is bound to a
 * key. What the client is marked for counts, also where this server does not offer it.
 */
export function refuseUnbound(rules: ProfileRules, client: Client, ctx: KoaContextWithOIDC): void {
  if (rules.binding === undefined) return
  if (client.dpopBoundAccessTokens === true) {
    if (ctx.get('dpop') === '') throw ungranted(`a DPoP proof is required${by(rules)}`)
    return
  }
  if (client.tlsClientCertificateBoundAccessTokens === true) {
    if (ctx.state.clientCertificate === undefined)
      throw ungranted(`a TLS client certificate is required${by(rules)}`)
    return
  }
  throw ungranted(`tokens must be bound to a TLS certificate${by(rules)}, and this server offers none`)
}

const ungranted = (description: string): Error => described(new errors.InvalidGrant(description), description)
