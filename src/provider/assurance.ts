import { errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import { isAtLeast, type Level, levels } from '../kernel/levels.ts'
import type { Payload } from './artefacts/payload.ts'
import type { Clients } from './ports.ts'

const prefix = 'urn:latchkey:acr:'

export type Acr = `urn:latchkey:acr:${Level}`

/** The authentication context classes that can be asked for and that ID tokens report as `acr`, from little to much. */
export const acrValues: readonly Acr[] = levels.map((level) => `${prefix}${level}` as const)

export const acrOf = (level: Level): Acr => `${prefix}${level}`

/** `undefined` for a class that is not ours. */
export const levelOf = (acr: unknown): Level | undefined =>
  typeof acr === 'string' ? levels.find((level) => acr === `${prefix}${level}`) : undefined

/** What a request says about `acr`, in its order: as essential only by the claims parameter (OpenID Connect Core 1.0 §5.5.1.1). */
function askedAcr(params: Payload): {
  readonly values: readonly string[]
  readonly essential: boolean
} {
  const claim = acrClaim(params.claims)
  const named = claim?.value === undefined ? (claim?.values ?? []) : [claim.value]
  const voluntary = typeof params.acr_values === 'string' ? params.acr_values.split(' ') : []
  const values = [...named, ...voluntary].filter((value): value is string => typeof value === 'string')
  return { values, essential: claim?.essential === true && named.length > 0 }
}

interface AcrClaim {
  readonly essential?: unknown
  readonly value?: unknown
  readonly values?: readonly unknown[]
}

function acrClaim(claims: unknown): AcrClaim | undefined {
  if (typeof claims !== 'string') return undefined
  try {
    const { id_token: idToken } = JSON.parse(claims) as { id_token?: { acr?: AcrClaim | null } }
    const claim = idToken?.acr
    if (claim === null || typeof claim !== 'object') return undefined
    return claim.values === undefined || Array.isArray(claim.values) ? claim : undefined
  } catch {
    return undefined // The library refuses a claims parameter that is no JSON.
  }
}

/** The levels that a request would be content with. */
export const askedLevels = (params: Payload): readonly Level[] =>
  askedAcr(params).values.flatMap((value) => levelOf(value) ?? [])

/**
 * Asks for a sign-in where that of the session is worth less than the client requires or the request would be content with
 * (RFC 9470 §5). Rules for everybody do not count here: they are met when somebody signs in.
 */
export function assuranceCheck(clients: Clients): InstanceType<typeof interactionPolicy.Check> {
  return new interactionPolicy.Check(
    'assurance',
    'the sign-in must be worth more than that of the session',
    'login_required',
    async ({ oidc }: KoaContextWithOIDC) => {
      const { session, client, params = {}, result } = oidc
      if (session?.accountId === undefined) return false
      const { values, essential } = askedAcr(params)
      const levels = values.flatMap((value) => levelOf(value) ?? [])
      if (essential && levels.length === 0)
        throw new errors.UnmetAuthenticationRequirements(
          'none of the requested acr values can be reached here',
        )
      const reached = levelOf(session.acr) ?? 'single-factor'
      const enough = levels.length === 0 || levels.some((level) => isAtLeast(reached, level))
      const own = client === undefined ? undefined : (await clients.find(client.clientId))?.requiredLevel
      if (enough && (own === undefined || isAtLeast(reached, own))) return false
      if (result?.login !== undefined)
        throw new errors.UnmetAuthenticationRequirements('the sign-in did not reach what is required')
      return true
    },
  )
}

/**
 * What a token says of a sign-in that is worth more than was asked: the class that was asked for, since whoever asks looks
 * for exactly that (OpenID Connect Core 1.0 §5.5.1.1); else that of the session.
 */
export function reportAskedAcr({ OIDCContext }: Provider): void {
  Object.defineProperty(OIDCContext.prototype, 'acr', {
    configurable: true,
    get(this: KoaContextWithOIDC['oidc']) {
      const acr = this.session?.acr
      const reached = levelOf(acr)
      if (reached === undefined) return acr
      const { values } = askedAcr(this.params ?? {})
      return (
        values.find(
          (value) => isAtLeast(reached, levelOf(value) ?? 'phishing-resistant') && levelOf(value),
        ) ?? acr
      )
    },
  })
}
