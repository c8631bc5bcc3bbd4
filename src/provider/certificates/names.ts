import type { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { type DerElement, derElement, derElements, derOid, derText } from '../../kernel/der.ts'
import {
  type DistinguishedName,
  isSameName,
  parseDistinguishedName,
} from '../../kernel/distinguished-name.ts'

/** The names by which a certificate can be a client's (RFC 8705 §2.1.2), in the library's words. */
export type CertificateName =
  | 'tls_client_auth_subject_dn'
  | 'tls_client_auth_san_dns'
  | 'tls_client_auth_san_uri'
  | 'tls_client_auth_san_ip'
  | 'tls_client_auth_san_email'

/** Whether the certificate carries the name. False for what cannot be read. */
export function carriesName(certificate: X509Certificate, kind: CertificateName, expected: string): boolean {
  try {
    return matchers[kind](certificate, expected)
  } catch {
    return false
  }
}

const subjectAlternativeName = '2.5.29.17'

/** RFC 5280 §4.2.1.6: the tags of a GeneralName. */
const tags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 }

const matchers: Readonly<
  Record<CertificateName, (certificate: X509Certificate, expected: string) => boolean>
> = {
  tls_client_auth_subject_dn(certificate, expected) {
    const name = parseDistinguishedName(expected)
    return name !== undefined && isSameName(subjectOf(certificate), name)
  },
  tls_client_auth_san_dns: (certificate, expected) =>
    texts(certificate, tags.dns).some((name) => name.toLowerCase() === expected.toLowerCase()),
  tls_client_auth_san_uri: (certificate, expected) => texts(certificate, tags.uri).includes(expected),
  tls_client_auth_san_ip: (certificate, expected) =>
    alternatives(certificate, tags.ip).some((bytes) => ipText(bytes) === canonicalIp(expected)),
  tls_client_auth_san_email: (certificate, expected) =>
    texts(certificate, tags.email).some((address) => mailbox(address) === mailbox(expected)),
}

/** The fields of the part that is signed (RFC 5280 §4.1), without the version, which may be missing. */
function fieldsOf({ raw }: X509Certificate): readonly DerElement[] {
  const [signed] = derElements(derElement(raw).body)
  return derElements(signed?.body ?? Buffer.of()).filter(({ tag }) => tag !== 0xa0)
}

/** From the most specific part, as RFC 4514 §2.1 turns it round. */
function subjectOf(certificate: X509Certificate): DistinguishedName {
  const subject = fieldsOf(certificate)[4]
  return derElements(subject?.body ?? Buffer.of())
    .map((part) =>
      derElements(part.body).map((attribute) => {
        const [type, value] = derElements(attribute.body)
        if (type === undefined || value === undefined) throw new RangeError('an attribute has no value')
        return { type: derOid(type.body), value: derText(value) ?? `#${value.whole.toString('hex')}` }
      }),
    )
    .toReversed()
}

function alternatives(certificate: X509Certificate, wanted: number): readonly Buffer[] {
  const extensions = fieldsOf(certificate).find(({ tag }) => tag === 0xa3)
  const list = extensions === undefined ? [] : derElements(derElement(extensions.body).body)
  for (const extension of list) {
    const parts = derElements(extension.body)
    const [oid] = parts
    const value = parts.at(-1)
    if (oid === undefined || value === undefined || derOid(oid.body) !== subjectAlternativeName) continue
    return derElements(derElement(value.body).body).flatMap(({ tag, body }) => (tag === wanted ? [body] : []))
  }
  return []
}

const texts = (certificate: X509Certificate, tag: number): readonly string[] =>
  alternatives(certificate, tag).map((bytes) => bytes.toString('latin1'))

function ipText(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return undefined
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return canonicalIp(groups.join(':'))
}

const canonicalIp = (address: string): string =>
  isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

/** RFC 5321 §2.4: the domain in any case, what stands before it exactly. */
function mailbox(address: string): string {
  const at = address.lastIndexOf('@')
  return address.slice(0, at) + address.slice(at).toLowerCase()
}
