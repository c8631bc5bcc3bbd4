import { isLoopbackHttp } from '../../kernel/fields.ts'
import type { Input } from '../../kernel/input.ts'

/** Metadata as it came, of unknown shape. */
export type Metadata = Readonly<Record<string, unknown>>

/** The registered names (IANA OAuth Dynamic Client Registration Metadata) that differ from ours by more than their case. */
const renamed: Readonly<Record<string, string>> = {
  client_name: 'name',
  token_endpoint_auth_method: 'authentication',
  id_token_signed_response_alg: 'idTokenAlgorithm',
}

/** Registered names that are ours in camel case; those of them that a client here can have. */
const same = [
  'redirect_uris',
  'post_logout_redirect_uris',
  'grant_types',
  'response_types',
  'response_modes',
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'contacts',
  'jwks',
  'jwks_uri',
  'require_pushed_authorization_requests',
  'require_signed_request_object',
  'dpop_bound_access_tokens',
  'tls_client_certificate_bound_access_tokens',
  'token_endpoint_auth_signing_alg',
  'initiate_login_uri',
  'default_max_age',
  'require_auth_time',
  'default_acr_values',
  'request_object_signing_alg',
  'request_object_encryption_alg',
  'request_object_encryption_enc',
  'id_token_encrypted_response_alg',
  'id_token_encrypted_response_enc',
  'userinfo_signed_response_alg',
  'userinfo_encrypted_response_alg',
  'userinfo_encrypted_response_enc',
  'authorization_signed_response_alg',
  'authorization_encrypted_response_alg',
  'authorization_encrypted_response_enc',
  'introspection_signed_response_alg',
  'introspection_encrypted_response_alg',
  'introspection_encrypted_response_enc',
  'subject_type',
  'sector_identifier_uri',
  'authorization_details_types',
  'backchannel_logout_uri',
  'backchannel_logout_session_required',
  'frontchannel_logout_uri',
  'frontchannel_logout_session_required',
  'backchannel_token_delivery_mode',
  'backchannel_client_notification_endpoint',
  'backchannel_authentication_request_signing_alg',
  'backchannel_user_code_parameter',
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const

const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const pairs: readonly (readonly [string, string])[] = [
  ...Object.entries(renamed),
  ...same.map((name) => [name, camelCase(name)] as const),
]

const registeredNames: ReadonlyMap<string, string> = new Map(pairs.map(([name, field]) => [field, name]))

/** A refusal with our fields by their registered names; `name` is also a word, and a field only where its fault follows. */
export const inRegisteredNames = (text: string): string =>
  text.replace(/(?<=^|\s)[a-zA-Z]+(?=[.:,;\s]|$)/g, (word, offset: number) =>
    word === 'name' && !/^name[.:]\S* /.test(text.slice(offset)) ? word : (registeredNames.get(word) ?? word),
  )

/** RFC 7591 §2: `client_name#ja` and what is unknown is left aside; null says nothing (RFC 7592 §2.2). */
export function fieldsOf(metadata: Metadata, known: (field: string) => boolean): Record<string, unknown> {
  const given = pairs.flatMap(([name, field]) => {
    const value = own(metadata, name)
    return value === undefined || value === null || value === '' || !known(field)
      ? []
      : [[field, value] as const]
  })
  return Object.fromEntries(given)
}

export const own = (metadata: Metadata, name: string): unknown =>
  Object.hasOwn(metadata, name) ? metadata[name] : undefined

/** What RFC 7591 §2 says where nothing is said, and what kind of client this is. */
export function completed(metadata: Metadata, fields: Record<string, unknown>): Input {
  const redirectUris = texts(fields.redirectUris)
  const grantTypes = withoutImplicit(fields.grantTypes ?? ['authorization_code'], fields.responseTypes)
  const authentication = fields.authentication ?? 'client_secret_basic'
  const isService =
    Array.isArray(grantTypes) && grantTypes.length > 0 && !grantTypes.includes('authorization_code')
  const native =
    own(metadata, 'application_type') === 'native' || redirectUris.some((uri) => !uri.startsWith('https:'))
  const ofPeople = authentication !== 'none' ? 'web' : native ? 'native' : 'spa'
  const responseTypes = isService ? undefined : fields.responseTypes
  return {
    ...fields,
    grantTypes,
    authentication,
    responseTypes,
    name: fields.name ?? hostOf(redirectUris) ?? 'Unnamed application',
    kind: isService ? 'service' : ofPeople,
    ...(authentication === 'none' && { allowedOrigins: originsOf(redirectUris) }),
  }
}

/** Whether tokens come from the front, for which RFC 7591 §2.1 has the grant type `implicit`; ours need no word for it. */
const isFromFront = (responseType: string): boolean => responseType.split(' ').some((word) => word !== 'code')

const withoutImplicit = (grantTypes: unknown, responseTypes: unknown): unknown =>
  Array.isArray(grantTypes) && texts(responseTypes).some(isFromFront)
    ? [...new Set(grantTypes.map((each) => (each === 'implicit' ? 'authorization_code' : each)))]
    : grantTypes

function withImplicit(grantTypes: readonly string[], responseTypes: readonly string[]): readonly string[] {
  const ofBrowsers = [
    ...(responseTypes.some((type) => type.split(' ').includes('code')) ? ['authorization_code'] : []),
    ...(responseTypes.some(isFromFront) ? ['implicit'] : []),
  ]
  return grantTypes.flatMap((each) => (each === 'authorization_code' ? ofBrowsers : [each]))
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []

const hostOf = ([uri = '']: readonly string[]): string | undefined => URL.parse(uri)?.host || undefined

/** The scripts of a public client call the token endpoint from where its people return to. */
const originsOf = (uris: readonly string[]): readonly string[] => [
  ...new Set(
    uris.flatMap((uri) => {
      const origin = uri.startsWith('https:') || isLoopbackHttp(uri) ? URL.parse(uri)?.origin : undefined
      return origin === undefined ? [] : [origin]
    }),
  ),
]

/** The scopes that are asked for, as far as they can be had; all that can be had where nothing is asked. */
export function scopesOf(metadata: Metadata, allowed: readonly string[]): readonly string[] {
  const scope = own(metadata, 'scope')
  if (typeof scope !== 'string') return allowed
  return [...new Set(scope.split(' '))].filter((each) => allowed.includes(each))
}

/** A client in the words of RFC 7591 §3.2.1: what is registered, whatever was asked for. */
export function metadataOf(
  client: Readonly<Record<string, unknown>> & { readonly scopes: readonly string[] },
): Metadata {
  const told = pairs.flatMap(([name, field]) => {
    const value = client[field]
    return value === undefined || value === null ? [] : [[name, value] as const]
  })
  const grantTypes = texts(client.grantTypes)
  const responseTypes = texts(client.responseTypes ?? ['code'])
  return {
    ...Object.fromEntries(told),
    grant_types: withImplicit(grantTypes, responseTypes),
    response_types: grantTypes.includes('authorization_code') ? responseTypes : [],
    application_type: client.kind === 'native' ? 'native' : 'web',
    scope: client.scopes.join(' '),
  }
}
