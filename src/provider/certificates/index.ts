import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ClientCertificate } from '../../kernel/http.ts'
import type { Area } from '../area.ts'
import type { MutualTls } from './mutual-tls.ts'
import { type CertificateName, carriesName } from './names.ts'

/** The endpoints at which certificates prove something, by their names in the discovery document. */
export const certificateEndpoints = {
  token_endpoint: '/token',
  revocation_endpoint: '/token/revocation',
  introspection_endpoint: '/token/introspection',
  userinfo_endpoint: '/me',
  pushed_authorization_request_endpoint: '/request',
  device_authorization_endpoint: '/device/auth',
  backchannel_authentication_endpoint: '/backchannel',
} as const

/** Those whose answers hold the address of a page (RFC 8628 §3.2), which is only at the issuer's host. */
export const endpointsShowingPages = [certificateEndpoints.device_authorization_endpoint]

const methods = ['tls_client_auth', 'self_signed_tls_client_auth'] as const

const certificateOf = (ctx: KoaContextWithOIDC): ClientCertificate | undefined => ctx.state.clientCertificate

/** TLS client certificates (RFC 8705): as a client's proof of who it is, and as what its tokens are bound to. */
export const certificates: Area = {
  // Always on: where nobody asks for certificates, clients that need one are refused instead of served without.
  options: () => ({
    clientAuthMethods: [...methods],
    features: {
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => certificateOf(ctx)?.certificate,
        certificateAuthorized: (ctx) => certificateOf(ctx)?.verified === true,
        certificateSubjectMatches(ctx, property, expected) {
          const certificate = certificateOf(ctx)?.certificate
          return certificate !== undefined && carriesName(certificate, property as CertificateName, expected)
        },
      },
    },
  }),

  extend(provider, { issuer, ports: { mutualTls } }) {
    provider.use(async (ctx, next) => {
      await next()
      if (ctx.oidc?.route === 'discovery') describe(ctx.body as Document, issuer, mutualTls)
    })
  },
}

type Document = Record<string, unknown>

/** RFC 8705 §3.3, §5. What is not offered is not told of. */
function describe(document: Document, issuer: string, { offered, origin }: MutualTls): void {
  if (!offered) {
    delete document.tls_client_certificate_bound_access_tokens
    for (const name of Object.keys(document)) {
      if (name.endsWith('_auth_methods_supported')) document[name] = withoutCertificates(document[name])
    }
    return
  }
  if (origin === undefined) return
  const issuerOrigin = new URL(issuer).origin
  const aliases = Object.keys(certificateEndpoints).flatMap((name) => {
    const endpoint = document[name]
    return typeof endpoint === 'string' ? [[name, endpoint.replace(issuerOrigin, origin)]] : []
  })
  document.mtls_endpoint_aliases = Object.fromEntries(aliases)
}

const withoutCertificates = (listed: unknown): unknown =>
  Array.isArray(listed)
    ? listed.filter((method) => !(methods as readonly unknown[]).includes(method))
    : listed
