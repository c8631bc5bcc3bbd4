import type { KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'

/** The authorization details that this request asks for (RFC 9396 §2, §6), after the library has found them well-formed. */
export function askedDetails({ oidc }: KoaContextWithOIDC): readonly AuthorizationDetail[] {
  const text = oidc.params?.authorization_details
  return typeof text === 'string' ? (JSON.parse(text) as AuthorizationDetail[]) : []
}
