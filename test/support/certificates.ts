/**
 * Certificates made in the test: authorities, servers and clients, with any name, time and purpose.
 *
 *     const authority = await newAuthority('Example CA')
 *     const shop = await authority.issue({ subject: 'CN=shop,O=Example' })
 */
import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import { exportJWK, type JWK } from 'jose'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 86_400_000

export interface Issued {
  readonly cert: string
  readonly key: string
  /** Base64 of the DER. */
  readonly der: string
  /** The public key with its certificate (RFC 7517 §4.7). */
  readonly jwk: JWK
  /** SHA-256 of the DER in base64url (RFC 8705 §3.1). */
  readonly thumbprint: string
}

export interface Wanted {
  /** As `@peculiar/x509` writes names, from the root on: C=DE, O=Example, CN=shop. */
  readonly subject?: string
  readonly names?: x509.JsonGeneralNames
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** The extended key usages; none where `null`. Clients and servers of TLS unless told. */
  readonly purposes?: readonly string[] | null
}

export interface Authority {
  readonly cert: string
  issue(wanted: Wanted): Promise<Issued>
}

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
const serialNumber = (): string => `01${randomBytes(8).toString('hex')}`
const bothPurposes = [x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]

const extensionsOf = ({ names, purposes = bothPurposes }: Wanted): x509.Extension[] => [
  new x509.BasicConstraintsExtension(false),
  ...(purposes === null ? [] : [new x509.ExtendedKeyUsageExtension([...purposes])]),
  ...(names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
]

const timesOf = ({ notBefore, notAfter }: Wanted) => ({
  notBefore: notBefore ?? new Date(Date.now() - day),
  notAfter: notAfter ?? new Date(Date.now() + 30 * day),
})

export async function newAuthority(name: string): Promise<Authority> {
  const keys = await newKeys()
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    ...timesOf({}),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  return {
    cert: own.toString('pem'),
    async issue(wanted) {
      const mine = await newKeys()
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: wanted.subject ?? 'CN=client',
        issuer: own.subject,
        ...timesOf(wanted),
        signingAlgorithm: algorithm,
        publicKey: mine.publicKey,
        signingKey: keys.privateKey,
        extensions: extensionsOf(wanted),
      })
      return await issued(certificate, mine)
    },
  }
}

/** A certificate of nobody's but its holder's (RFC 8705 §2.2). */
export async function selfSigned(wanted: Wanted = {}): Promise<Issued> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: wanted.subject ?? 'CN=client',
    ...timesOf(wanted),
    signingAlgorithm: algorithm,
    keys,
    extensions: extensionsOf(wanted),
  })
  return await issued(certificate, keys)
}

async function issued(
  certificate: x509.X509Certificate,
  { privateKey, publicKey }: CryptoKeyPair,
): Promise<Issued> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey)).toString('base64')
  const der = Buffer.from(certificate.rawData).toString('base64')
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
    der,
    jwk: { ...(await exportJWK(publicKey)), kid: randomBytes(4).toString('hex'), x5c: [der] },
    thumbprint: Buffer.from(await crypto.subtle.digest('SHA-256', certificate.rawData)).toString('base64url'),
  }
}

/** The texts in files of a folder of their own, by name. */
export async function inFiles<Name extends string>(
  texts: Readonly<Record<Name, string>>,
): Promise<Readonly<Record<Name, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-tls-'))
  const files = Object.entries<string>(texts).map(
    ([name, text]) => [name, join(folder, `${name}.pem`), text] as const,
  )
  await Promise.all(files.map(([, file, text]) => writeFile(file, text)))
  return Object.fromEntries(files.map(([name, file]) => [name, file])) as Record<Name, string>
}
