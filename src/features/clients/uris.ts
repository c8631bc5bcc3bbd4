import { absoluteUri, hasNoUserinfo, isHttps, isLoopbackHttp } from '../../kernel/fields.ts'

/** A private-use scheme is a domain name turned around, so it has a dot (RFC 8252 §7.1). */
const isPrivateScheme = (text: string): boolean => /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/.test(text)

/**
 * Where an authorization response or a person after sign-out is sent: exact, so without wildcard; without fragment
 * (RFC 6749 §3.1.2); https, http on this machine, or an application's own scheme.
 */
export const redirectUri = absoluteUri
  .refine((text) => !text.includes('#'), 'must have no fragment (#)')
  .refine((text) => !text.includes('*'), 'must be exact: a wildcard (*) is not understood')
  .refine(hasNoUserinfo, 'must have no user name or password')
  .refine(
    (text) => isHttps(text) || isLoopbackHttp(text) || isPrivateScheme(text),
    'must begin with https://, with http:// on localhost, 127.0.0.1 or [::1], or with a scheme of its own that has a dot, such as com.example.app:/',
  )

export const usesPrivateScheme = (text: string): boolean => !isHttps(text) && !isLoopbackHttp(text)

/** An origin exactly as browsers send it (RFC 6454 §6.2). */
export const origin = absoluteUri.refine(
  (text) =>
    (isHttps(text) || isLoopbackHttp(text)) && !text.includes('*') && URL.parse(text)?.origin === text,
  'must be an origin as browsers send it, such as https://app.example.com, without a path; http only on localhost',
)

/** Where the client's public keys are fetched. */
export const jwksUri = absoluteUri
  .refine((text) => !text.includes('#'), 'must have no fragment (#)')
  .refine(
    (text) => isHttps(text) || isLoopbackHttp(text),
    'must begin with https://, or with http:// on localhost',
  )
