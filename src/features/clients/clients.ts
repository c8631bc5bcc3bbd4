import { invalidInput } from '../../kernel/errors.ts'
import type { Input } from '../../kernel/input.ts'
import { isForSignatures } from '../../kernel/public-keys.ts'
import type { Client, ClientDraft } from './client.ts'
import { type GrantType, type IdTokenAlgorithm, kindRules, usesSecret } from './kinds.ts'
import { profileOf } from './profile-effect.ts'
import type { Check } from './protocol/check.ts'
import { protocolChecks } from './protocol/checks.ts'
import { usesPrivateScheme } from './uris.ts'

/** A draft from the parsed fields of a new client, with what its kind supplies. */
export function draftOf(input: Input): ClientDraft {
  const given = changesOf(input) as ClientDraft
  const rules = kindRules[given.kind]
  return {
    ...given,
    grantTypes: given.grantTypes ?? rules.defaultGrantTypes,
    scopes: given.scopes ?? rules.defaultScopes,
    authentication:
      given.authentication ?? (provesByKeys(given) ? 'private_key_jwt' : rules.authentications[0]),
    idTokenAlgorithm: given.idTokenAlgorithm ?? algorithmOf(given),
  }
}

/** What every library understands, or the first that its profile allows. */
const algorithmOf = (given: ClientDraft): IdTokenAlgorithm =>
  profileOf(given).algorithms === undefined ? 'RS256' : 'ES256'

/** Parsed fields as changes of a draft; `null` takes a value away. */
export const changesOf = (input: Input): Partial<ClientDraft> =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value ?? undefined]))

/** Throws `clients.inconsistent`, with its `field` where it is about one alone, where the parts of a client do not fit together. */
export function checkDraft(draft: ClientDraft, serverChecks: readonly Check[]): void {
  const fault = [...checks, ...protocolChecks, ...serverChecks]
    .map((check) => check(draft))
    .find((found) => found !== undefined)
  if (typeof fault === 'string') throw invalidInput('clients.inconsistent', fault)
  if (fault !== undefined) throw invalidInput('clients.inconsistent', fault.text, fault)
}

/** The grants by which a client gets its first refresh token. */
const givesFirst: readonly GrantType[] = [
  'authorization_code',
  'urn:ietf:params:oauth:grant-type:device_code',
]

const hasKeys = ({ jwks, jwksUri }: ClientDraft): boolean => jwks !== undefined || jwksUri !== undefined

const hasSigningKeys = ({ jwks, jwksUri }: ClientDraft): boolean =>
  jwksUri !== undefined || (jwks?.keys.some(isForSignatures) ?? false)

/** Keys of a kind that could prove itself by them are for that where nothing else is said. */
const provesByKeys = (draft: ClientDraft): boolean =>
  (kindRules[draft.kind].authentications as readonly string[]).includes('private_key_jwt') &&
  hasSigningKeys(draft)

const checks: readonly Check[] = [
  ({ kind, grantTypes }) => {
    const allowed: readonly string[] = kindRules[kind].grantTypes
    const refused = grantTypes.find((grantType) => !allowed.includes(grantType))
    return refused && `A client of kind ${kind} cannot use ${refused}. Choose among ${allowed.join(', ')}.`
  },
  ({ kind, authentication }) => {
    const allowed: readonly string[] = kindRules[kind].authentications
    if (allowed.includes(authentication)) return undefined
    return `A client of kind ${kind} cannot authenticate by ${authentication}. Choose among ${allowed.join(', ')}.`
  },
  ({ grantTypes }) =>
    grantTypes.length === 0 ? 'A client without a grant type gets no token. Name at least one.' : undefined,
  ({ grantTypes }) =>
    grantTypes.includes('refresh_token') && !grantTypes.some((each) => givesFirst.includes(each))
      ? `The grant refresh_token needs ${givesFirst.join(' or ')}, which gives the first token. Add one or leave refresh_token out.`
      : undefined,
  ({ grantTypes, redirectUris }) => {
    const signsIn = grantTypes.includes('authorization_code')
    if (signsIn && redirectUris.length === 0) {
      const text = 'A client that people sign in to needs a redirect URI. Name at least one.'
      return { field: 'redirectUris', text }
    }
    if (signsIn || redirectUris.length === 0) return undefined
    const text =
      'A client that nobody signs in to has no redirect URIs. Leave them out, or add the grant authorization_code.'
    return { field: 'redirectUris', text }
  },
  ({ kind, redirectUris, postLogoutRedirectUris }) => {
    if (kind === 'native') return undefined
    const uri = [...redirectUris, ...postLogoutRedirectUris].find(usesPrivateScheme)
    if (uri === undefined) return undefined
    const text = `${uri} has a scheme of its own, which only clients of kind native may have. Use https.`
    return { field: redirectUris.includes(uri) ? 'redirectUris' : 'postLogoutRedirectUris', text }
  },
  (draft) => {
    const { authentication, jwks, jwksUri } = draft
    if (jwks !== undefined && jwksUri !== undefined) return 'Give either jwks or jwksUri, not both.'
    if (authentication !== 'private_key_jwt') return undefined
    if (!hasKeys(draft)) return 'private_key_jwt needs the public keys of the client. Give jwks or jwksUri.'
    return hasSigningKeys(draft)
      ? undefined
      : 'private_key_jwt needs a key that signs, and those of the client only encrypt. Add one without use, or with use sig.'
  },
]

/** Said where a client has to prove itself with a secret and has none. */
export const missingSecretNotice = ({
  authentication,
  secrets,
}: Pick<Client, 'authentication' | 'secrets'>) =>
  usesSecret(authentication) && secrets.length === 0
    ? 'The client has no secret and cannot authenticate. Make one with add-secret.'
    : undefined
