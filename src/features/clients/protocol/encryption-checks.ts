import { encryptsWith, signsWith } from '../../../kernel/public-keys.ts'
import type { ClientDraft } from '../client.ts'
import { usesPrivateScheme } from '../uris.ts'
import type { Check } from './check.ts'

/** Who has no redirect URI is told apart by its keys, which then have to prove it (OpenID Connect CIBA Core 1.0 §4). */
const withoutBrowser = ['urn:ietf:params:oauth:grant-type:device_code', 'urn:openid:params:grant-type:ciba']
const provenByKeys = ['private_key_jwt', 'self_signed_tls_client_auth']

const encryptions = [
  ['requestObjectEncryptionAlg', 'requestObjectEncryptionEnc'],
  ['idTokenEncryptedResponseAlg', 'idTokenEncryptedResponseEnc'],
  ['userinfoEncryptedResponseAlg', 'userinfoEncryptedResponseEnc'],
  ['authorizationEncryptedResponseAlg', 'authorizationEncryptedResponseEnc'],
  ['introspectionEncryptedResponseAlg', 'introspectionEncryptedResponseEnc'],
] as const
const responses = encryptions.slice(1).map(([alg]) => alg)

export const encryptionChecks: readonly Check[] = [
  (draft) => {
    const lone = encryptions.find(([alg, enc]) => draft[enc] !== undefined && draft[alg] === undefined)
    return lone && `${lone[1]} says nothing without ${lone[0]}. Give both, or leave it out.`
  },
  (draft) => {
    const field = responses.find((name) => !hasKeyFor(draft, name))
    return (
      field &&
      `${field} ${draft[field]} needs a key of the client to encrypt to. Give one in jwks, with use enc, or jwksUri.`
    )
  },
  (draft) => {
    const { requestObjectSigningAlg: algorithm, jwks, jwksUri } = draft
    if (algorithm === undefined || jwksUri !== undefined) return undefined
    return jwks?.keys.some((key) => signsWith(key, algorithm))
      ? undefined
      : `requestObjectSigningAlg ${algorithm} needs a key of the client that signs with it. Give one in jwks, or jwksUri.`
  },
  ({ sectorIdentifierUri, subjectType }) =>
    sectorIdentifierUri !== undefined && subjectType !== 'pairwise'
      ? 'sectorIdentifierUri is for pairwise subjects. Choose subjectType pairwise, or leave it out.'
      : undefined,
  (draft) => (draft.subjectType === 'pairwise' ? faultOfSector(draft) : undefined),
]

function hasKeyFor(draft: ClientDraft, field: (typeof responses)[number]): boolean {
  const algorithm = draft[field]
  if (algorithm === undefined || draft.jwksUri !== undefined) return true
  return draft.jwks?.keys.some((key) => encryptsWith(key, algorithm)) ?? false
}

/** Its sector must be beyond doubt, or somebody would see identifiers that are not meant for him (§8.1). */
function faultOfSector(draft: ClientDraft): string | undefined {
  const { kind, grantTypes, redirectUris, sectorIdentifierUri, authentication, jwksUri } = draft
  const grants: readonly string[] = grantTypes
  const alone = withoutBrowser.find((grant) => grants.includes(grant))
  if (alone !== undefined && (!provenByKeys.includes(authentication) || jwksUri === undefined)) {
    return `Pairwise subjects with ${alone} need a client that proves itself by its keys. Give jwksUri and authentication ${provenByKeys.join(' or ')}.`
  }
  if (alone === undefined && redirectUris.length === 0)
    return 'Pairwise subjects are for clients that people sign in to. Leave subjectType out.'
  if (sectorIdentifierUri !== undefined || redirectUris.length === 0) return undefined
  const hosts = new Set(redirectUris.map((uri) => URL.parse(uri)?.host))
  const shared = kind === 'native' || redirectUris.some(usesPrivateScheme)
  if (hosts.size === 1 && !shared && alone === undefined) return undefined
  return 'The redirect URIs do not say to which sector the client belongs: give sectorIdentifierUri, where a JSON array lists them.'
}
