import type { ClientDraft } from '../client.ts'
import type { Check } from './check.ts'

const names = [
  'tlsClientAuthSubjectDn',
  'tlsClientAuthSanDns',
  'tlsClientAuthSanUri',
  'tlsClientAuthSanIp',
  'tlsClientAuthSanEmail',
] as const

const given = (draft: ClientDraft): readonly string[] => names.filter((name) => draft[name] !== undefined)

export const certificateChecks: readonly Check[] = [
  (draft) => {
    const [first, second] = given(draft)
    if (draft.authentication !== 'tls_client_auth') {
      return first && `${first} is of use with tls_client_auth alone. Leave it out, or change authentication.`
    }
    if (first === undefined)
      return `tls_client_auth needs a name of the certificate. Give one of ${names.join(', ')}.`
    return second && `A client is known by one name of its certificate. Keep ${first} or ${second}.`
  },
  ({ authentication, jwks, jwksUri }) => {
    if (authentication !== 'self_signed_tls_client_auth' || jwksUri !== undefined) return undefined
    return jwks?.keys.some(({ x5c }) => x5c !== undefined)
      ? undefined
      : 'self_signed_tls_client_auth needs the certificate of the client. Give jwks with a key that has x5c, or jwksUri.'
  },
]

/** Whether anybody asks clients of this server for certificates. */
export const certificatesOfferedCheck =
  (offered: boolean): Check =>
  ({ authentication, tlsClientCertificateBoundAccessTokens: bound }) => {
    if (offered) return undefined
    const wanted = authentication.endsWith('tls_client_auth')
      ? authentication
      : bound && 'tlsClientCertificateBoundAccessTokens'
    return wanted
      ? `Nobody asks the clients of this server for certificates, so ${wanted} would lock the client out. Set LATCHKEY_MTLS_URL or LATCHKEY_MTLS_CERTIFICATE_HEADER first (docs/mtls.md).`
      : undefined
  }
