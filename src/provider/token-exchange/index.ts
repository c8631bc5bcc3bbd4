import type { Configuration } from 'oidc-provider'
import { openJwtAccessTokens } from '../access-tokens/jwt.ts'
import type { Area } from '../area.ts'
import type { OptionInputs } from '../inputs.ts'
import { exchangeGrant } from './grant.ts'
import { openIdTokens } from './id-tokens.ts'
import { type Exchanged, keepOrigins, originClaim, sealOrigin } from './origin.ts'
import { exchangeParameters, tokenExchangeGrant } from './request.ts'

/** Tokens for tokens (RFC 8693). */
export const tokenExchange: Area = {
  options: (inputs) => ({ extraTokenClaims: claimsOf(inputs) }),

  extend(provider, inputs) {
    keepOrigins(provider)
    const dependencies = {
      provider,
      inputs,
      jwtTokens: openJwtAccessTokens(provider, inputs),
      idTokens: openIdTokens(provider, inputs),
      verifier: inputs.verifier,
    }
    provider.registerGrantType(tokenExchangeGrant, exchangeGrant(dependencies), exchangeParameters, [
      'resource',
      'audience',
    ])
  },
}

/** Who acts with a token, and who alone may act with it (RFC 8693 §4.1, §4.4). */
const claimsOf =
  ({ ports, sealing }: OptionInputs): NonNullable<Configuration['extraTokenClaims']> =>
  async (_ctx, token) => {
    if (token.kind !== 'AccessToken') return undefined
    const { origin, resourceServer, clientId = '', jti } = token as Exchanged
    const own = (await ports.clients.find(clientId))?.mayAct
    if (origin === undefined) return own === undefined ? undefined : { may_act: { ...own } }
    // What the first token demanded of whoever acts holds for all that came of it.
    const mayAct = origin.mayAct ?? own
    const isJwt = (resourceServer as { accessTokenFormat?: string } | undefined)?.accessTokenFormat === 'jwt'
    return {
      ...(origin.act && { act: origin.act }),
      ...(mayAct && { may_act: { ...mayAct } }),
      ...(isJwt && { [originClaim]: sealOrigin(sealing, jti, origin) }),
    }
  }
