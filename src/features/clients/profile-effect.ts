import type { ClientDraft } from './client.ts'
import { defaultProfile, profiles, type ResponseType, type SecurityProfile } from './profiles.ts'
import type { Protocol } from './protocol/protocol.ts'

export const profileOf = ({ profile }: Pick<Protocol, 'profile'>): SecurityProfile =>
  profiles[profile ?? defaultProfile]

/** The two ways in which a token is bound to its client; at most one of them. */
export interface Binding {
  readonly dpopBoundAccessTokens?: true
  readonly tlsClientCertificateBoundAccessTokens?: true
}

const byCertificate: Binding = { tlsClientCertificateBoundAccessTokens: true }
const byKey: Binding = { dpopBoundAccessTokens: true }

/** How the access tokens of a client are bound: as it says, else as its profile demands. */
export function bindingOf(client: Protocol): Binding {
  const { dpopBoundAccessTokens: dpop, tlsClientCertificateBoundAccessTokens: certificate } = client
  const { binding } = profileOf(client)
  if (certificate === true) return byCertificate
  if (dpop === true) return byKey
  if (binding === undefined) return {}
  if (dpop === false) return byCertificate
  return certificate === false || binding === 'dpop' ? byKey : byCertificate
}

/** What holds for a client that people sign in to, or for none: its profile, and what its own fields add. */
export function effectOf(client: ClientDraft): Partial<ClientDraft> {
  const profile = profileOf(client)
  const { pushedRequests, signedRequests, algorithms } = profile
  // What is signed for it is signed as its ID tokens are, which its profile allows.
  const signing = algorithms === undefined ? undefined : client.idTokenAlgorithm
  return {
    ...(pushedRequests && { requirePushedAuthorizationRequests: true }),
    ...(signedRequests && { requireSignedRequestObject: true }),
    ...bindingOf(client),
    responseTypes: responseTypesOf(client),
    profile: profile.name,
    ...(signing && signedFor(client, signing)),
  }
}

/** `code` alone where the client does not say. */
export const responseTypesOf = ({ responseTypes }: Protocol): readonly ResponseType[] =>
  responseTypes ?? ['code']

function signedFor(client: Protocol, algorithm: string): object {
  const named = client as Readonly<Record<string, unknown>>
  return {
    authorizationSignedResponseAlg: named.authorizationSignedResponseAlg ?? algorithm,
    introspectionSignedResponseAlg: named.introspectionSignedResponseAlg ?? algorithm,
  }
}
