import { isHttps } from '../../../kernel/fields.ts'
import type { AllowedProfiles } from '../allowed-profiles.ts'
import type { ClientDraft } from '../client.ts'
import { bindingOf, profileOf, responseTypesOf } from '../profile-effect.ts'
import type { Check } from './check.ts'

const signsIn = ({ grantTypes }: ClientDraft): boolean => grantTypes.includes('authorization_code')
const list = (values: readonly string[]): string => values.join(', ')
const named = (draft: ClientDraft): string => `security profile ${profileOf(draft).name}`

const wrongAuthentication: Check = (draft) => {
  const { authentications } = profileOf(draft)
  if (authentications === undefined || authentications.includes(draft.authentication)) return undefined
  return draft.authentication === 'none'
    ? `A client of kind ${draft.kind} keeps no secret, and the ${named(draft)} is for clients that prove who they are by ${list(authentications)}. Choose kind web or service, or the profile oauth-2.1.`
    : `The ${named(draft)} demands ${list(authentications)} and not ${draft.authentication}. Give jwks or jwksUri and set authentication to private_key_jwt.`
}

const unpushed: Check = (draft) => {
  const { pushedRequests } = profileOf(draft)
  if (!pushedRequests || draft.requirePushedAuthorizationRequests !== false) return undefined
  return `The ${named(draft)} demands pushed requests. Leave requirePushedAuthorizationRequests out, or choose another profile.`
}

const unsigned: Check = (draft) => {
  const { signedRequests } = profileOf(draft)
  if (!signedRequests || draft.requireSignedRequestObject !== false) return undefined
  return `The ${named(draft)} demands signed requests. Leave requireSignedRequestObject out, or choose another profile.`
}

const wronglyBound: Check = (draft) => {
  const { dpopBoundAccessTokens: dpop, tlsClientCertificateBoundAccessTokens: certificate } = draft
  if (dpop === true && certificate === true)
    return 'A token is bound in one way. Set dpopBoundAccessTokens or tlsClientCertificateBoundAccessTokens, not both.'
  if (profileOf(draft).binding === undefined || dpop === true || certificate === true) return undefined
  return dpop === false && certificate === false
    ? `The ${named(draft)} demands tokens that are bound. Set dpopBoundAccessTokens or tlsClientCertificateBoundAccessTokens to true, or choose another profile.`
    : undefined
}

const foreignAlgorithm: Check = (draft) => {
  const { algorithms } = profileOf(draft)
  if (algorithms === undefined) return undefined
  const [name, value] = namedAlgorithms(draft).find(([, each]) => !algorithms.includes(each)) ?? []
  return (
    name && `The ${named(draft)} allows ${list(algorithms)} and not ${value}. Set ${name} to one of these.`
  )
}

const foreignKeys: Check = (draft) => {
  const { algorithms } = profileOf(draft)
  const keys = draft.jwks?.keys
  if (algorithms === undefined || keys === undefined) return undefined
  return keys.some((key) => usable(key, algorithms))
    ? undefined
    : `None of the keys of the client can sign as the ${named(draft)} demands. Give a key for ${list(algorithms)}.`
}

const needlessAlgorithm: Check = ({ authentication, tokenEndpointAuthSigningAlg: algorithm }) =>
  algorithm !== undefined && authentication !== 'private_key_jwt'
    ? `A client that authenticates by ${authentication} signs no assertion. Leave tokenEndpointAuthSigningAlg out, or choose private_key_jwt.`
    : undefined

const uncheckable: Check = (draft) => {
  if (draft.requireSignedRequestObject !== true || draft.jwks || draft.jwksUri) return undefined
  return 'Signed requests are checked by the public keys of the client. Give jwks or jwksUri, or leave requireSignedRequestObject out.'
}

const needlessDemands: Check = (draft) => {
  const { requirePushedAuthorizationRequests, requireSignedRequestObject } = draft
  if (signsIn(draft) || !(requirePushedAuthorizationRequests || requireSignedRequestObject)) return undefined
  return 'A client that nobody signs in to sends no authorization requests. Leave requirePushedAuthorizationRequests and requireSignedRequestObject out.'
}

const foreignResponseType: Check = (draft) => {
  if (!signsIn(draft))
    return (
      draft.responseTypes && 'A client that nobody signs in to has no responses. Leave responseTypes out.'
    )
  const { responses } = profileOf(draft)
  const refused = responseTypesOf(draft).find((type) => responses[type] === undefined)
  if (refused === undefined) return undefined
  const allowed = Object.keys(responses).join(', ')
  return `The ${named(draft)} allows the response types ${allowed} and not ${refused}. Change responseTypes or the profile.`
}

const foreignResponseMode: Check = (draft) => {
  const { responses } = profileOf(draft)
  const allowed = responseTypesOf(draft).flatMap((type) => responses[type] ?? [])
  const refused = draft.responseModes?.find((mode) => !allowed.includes(mode))
  return (
    refused &&
    `The ${named(draft)} allows its responses the modes ${list([...new Set(allowed)])} and not ${refused}. Change responseModes or the profile.`
  )
}

const unboundResponse: Check = (draft) => {
  const bound = Object.keys(bindingOf(draft))[0]
  const type = responseTypesOf(draft).find((each) => each.split(' ').includes('token'))
  return bound && type
    ? `The response type ${type} gives tokens that nothing binds, against ${bound}. Leave one of the two out.`
    : undefined
}

const openRedirect: Check = (draft) => {
  const front = responseTypesOf(draft).find((type) => type !== 'code')
  if (!profileOf(draft).httpsRedirects && (front === undefined || draft.kind === 'native')) return undefined
  const uri = draft.redirectUris.find((each) => !isHttps(each) || isOwnMachine(each))
  const what = profileOf(draft).httpsRedirects ? `The ${named(draft)}` : `The response type ${front}`
  return (
    uri && {
      field: 'redirectUris',
      text: `${what} demands https and a host that is not this machine, unlike ${uri}. Change the redirect URI.`,
    }
  )
}

/** What a profile demands of a client, and what the client says itself. None may be laxer than the profile. */
export const profileChecks: readonly Check[] = [
  wrongAuthentication,
  unpushed,
  unsigned,
  wronglyBound,
  foreignAlgorithm,
  foreignKeys,
  needlessAlgorithm,
  uncheckable,
  needlessDemands,
  foreignResponseType,
  foreignResponseMode,
  unboundResponse,
  openRedirect,
]

const isOwnMachine = (uri: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(URL.parse(uri)?.hostname ?? '')

const isAlgorithm = /^idTokenAlgorithm$|Sign(ing|edResponse)Alg$/

/** Every algorithm of signatures that the client names, by the field that names it. */
function namedAlgorithms(draft: ClientDraft): readonly (readonly [string, string])[] {
  return Object.entries(draft).flatMap(([name, value]) =>
    isAlgorithm.test(name) && typeof value === 'string' ? [[name, value] as const] : [],
  )
}

type Key = NonNullable<ClientDraft['jwks']>['keys'][number]

const kindsOfKeys: Readonly<Record<string, readonly string[]>> = {
  RSA: ['PS256'],
  EC: ['ES256'],
  OKP: ['EdDSA', 'Ed25519'],
}

const usable = ({ kty, alg }: Key, algorithms: readonly string[]): boolean =>
  alg === undefined
    ? (kindsOfKeys[kty] ?? []).some((each) => algorithms.includes(each))
    : algorithms.includes(alg)

/** What this server does not allow although a profile would. */
export const allowanceCheck =
  (allowed: AllowedProfiles): Check =>
  (draft) => {
    const { name } = profileOf(draft)
    const profile = allowed.find(name)
    if (profile === undefined)
      return `This server does not allow the security profile ${name}. Set LATCHKEY_CLIENTS_ALLOW_LEGACY=true and start it again, or choose another profile.`
    const refused = signsIn(draft) && responseTypesOf(draft).find((type) => !profile.responses[type])
    return refused
      ? `This server does not allow the response type ${refused} with the security profile ${name}. Set LATCHKEY_CLIENTS_ALLOW_HYBRID=true and start it again, or leave it out of responseTypes.`
      : undefined
  }
