import {
  choice,
  integer,
  list,
  optionalInteger,
  optionalText,
  optionalUrl,
  seconds,
  text,
} from '../kernel/settings.ts'
import { certificateFormats } from './certificate-formats.ts'

export const settings = {
  trustedProxies: list(
    [],
    'Addresses or networks (10.0.0.0/8) of the reverse proxies whose X-Forwarded-For names the client. From anybody else the header is ignored.',
  ),
  shutdownSeconds: seconds(
    15,
    'How long requests under way may take to finish when the server is told to stop.',
  ),
  failuresPerMinute: integer(
    60,
    'How many refused client authentications one address may cause in a minute.',
    { minimum: 1 },
  ),
}

/** TLS that ends at this server. */
export const tlsSettings = {
  certificateFile: optionalText(
    'The PEM file with the certificate of the server, followed by those between it and its authority. With it the server speaks https itself; a new certificate counts as soon as the file changes.',
  ),
  keyFile: optionalText('The PEM file with the private key of the certificate.'),
  clientCaFile: optionalText(
    'The PEM file with the authorities whose client certificates prove who a client is (tls_client_auth). For TLS that ends at this server; a proxy verifies by itself.',
  ),
}

/** Certificates of clients (RFC 8705). */
export const mtlsSettings = {
  url: optionalUrl(
    'Where clients with a certificate find their endpoints, such as https://mtls.id.example.com or https://id.example.com:8443; published as mtls_endpoint_aliases. No page is served there, so that no browser is asked for a certificate.',
  ),
  port: optionalInteger(
    'The port on which this server itself listens for clients with a certificate. With LATCHKEY_TLS_CERTIFICATE_FILE only.',
    { minimum: 0, maximum: 65_535, fallbackText: 'the port of LATCHKEY_MTLS_URL' },
  ),
  certificateHeader: optionalText(
    'The header in which a proxy of LATCHKEY_HOST_TRUSTED_PROXIES hands on the certificate of its client, such as Client-Cert. From anybody else it is ignored.',
  ),
  certificateFormat: choice(
    certificateFormats,
    'rfc9440',
    'How the certificate stands in the header: rfc9440 as :base64:, pem as URL-escaped PEM (nginx), der as base64 (HAProxy), xfcc as Envoy writes x-forwarded-client-cert.',
  ),
  verdictHeader: optionalText(
    'The header in which the proxy says whether it has verified the certificate against its authorities. Without it no certificate proves who a client is by its authority.',
  ),
  verdictValue: text('SUCCESS', 'What stands in that header where it has: SUCCESS for nginx, 0 for HAProxy.'),
}
