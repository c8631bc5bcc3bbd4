import { X509Certificate } from 'node:crypto'

/** How proxies write a certificate into a header. */
export const certificateFormats = ['rfc9440', 'pem', 'der', 'xfcc'] as const
export type CertificateFormat = (typeof certificateFormats)[number]

/** `undefined` for what is not exactly one certificate in this format. */
export function parseCertificate(text: string, format: CertificateFormat): X509Certificate | undefined {
  const der = readers[format](text)
  if (der === undefined || der.length === 0) return undefined
  try {
    const certificate = new X509Certificate(der)
    // OpenSSL reads the first of what it is given and is silent about the rest.
    return certificate.raw.length === der.length ? certificate : undefined
  } catch {
    return undefined
  }
}

const readers: Readonly<Record<CertificateFormat, (text: string) => Buffer | undefined>> = {
  // RFC 9440 §2.1: a byte sequence (RFC 8941 §3.3.5), which stands between colons.
  rfc9440: (text) => base64(/^:([A-Za-z0-9+/=]+):$/.exec(text)?.[1]),
  // nginx's $ssl_client_escaped_cert.
  pem: escapedPem,
  // HAProxy's ssl_c_der,base64.
  der: base64,
  xfcc: (text) => escapedPem(certificateOfElement(text)),
}

function base64(text: string | undefined): Buffer | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : undefined
}

const pem = /^\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/

function escapedPem(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined
  try {
    return base64(pem.exec(decodeURIComponent(text))?.[1]?.replaceAll(/\s/g, ''))
  } catch {
    return undefined
  }
}

/** One `Key=value` of Envoy's x-forwarded-client-cert; a value with a separator in it stands in quotes. */
const pair = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(?:;|$)/gy

/** The certificate of the only element; a comma begins another one, which a proxy further away has written. */
function certificateOfElement(text: string): string | undefined {
  const pairs = [...text.matchAll(pair)]
  if (pairs.map(([whole]) => whole).join('') !== text) return undefined
  const found = pairs.filter(([, key]) => key?.toLowerCase() === 'cert').map(([, , value]) => value)
  return found.length === 1 ? found[0]?.replaceAll('"', '') : undefined
}
