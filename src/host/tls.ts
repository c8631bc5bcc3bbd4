import { constants } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import { isIP } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { readTls, type TlsMaterial, type TlsSettings } from './tls-files.ts'

/** TLS as this server ends it, with the certificate of the moment. */
export interface Tls {
  context(): SecureContextOptions
  /** Whether there are authorities that certificates of clients are verified against. */
  readonly hasAuthorities: boolean
  /** Calls `apply` whenever the files have changed to something usable. */
  onChange(apply: (context: SecureContextOptions) => void): void
  /** Looks at the files no more. */
  stop(): void
}

export interface TlsDependencies {
  readonly clock: Clock
  readonly log: Log
  /** The hosts that people and applications use. */
  readonly hosts: readonly string[]
}

const lookEveryMilliseconds = 1_000

/** In TLS 1.2 those that RFC 9325 §4.2 recommends and no others, as FAPI demands: forward secrecy and AES-GCM. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':')

const contextOf = ({ cert, key, ca }: TlsMaterial): SecureContextOptions => ({
  cert,
  key,
  // Without any, Node would take every public authority of the web for one of ours.
  ca: ca ?? [],
  minVersion: 'TLSv1.2',
  ciphers,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
})

/** `undefined` where TLS ends elsewhere. Throws what `readTls` throws. */
export function openTls(settings: TlsSettings, { clock, log, hosts }: TlsDependencies): Tls | undefined {
  let material = readTls(settings)
  if (material === undefined) return undefined
  const appliers: ((context: SecureContextOptions) => void)[] = []
  const files = [settings.certificateFile, settings.keyFile, settings.clientCaFile].filter(
    (file) => file !== undefined,
  )

  function reload(): void {
    try {
      const next = readTls(settings)
      if (next === undefined || isSame(next, material)) return
      material = next
      for (const apply of appliers) apply(contextOf(next))
      log.info({ expiresAt: next.certificate.validToDate }, 'the certificate of the server was read anew')
      warn(next)
    } catch (error) {
      // A renewal writes one file after the other; until they fit, the old certificate serves.
      log.warn(
        { err: error },
        'the certificate of the server has changed to something unusable; the old one serves',
      )
    }
  }

  function warn({ certificate }: TlsMaterial): void {
    const now = clock.now()
    if (certificate.validToDate < now)
      log.warn({ expiredAt: certificate.validToDate }, 'the certificate of the server has expired')
    if (certificate.validFromDate > now)
      log.warn({ validFrom: certificate.validFromDate }, 'the certificate of the server is not valid yet')
    for (const host of hosts) {
      if (covers(certificate, host)) continue
      log.warn({ host }, 'the certificate of the server is not for the host that people and applications use')
    }
  }

  warn(material)
  for (const file of files) watchFile(file, { interval: lookEveryMilliseconds, persistent: false }, reload)
  return {
    context: () => contextOf(material as TlsMaterial),
    hasAuthorities: settings.clientCaFile !== undefined,
    onChange: (apply) => void appliers.push(apply),
    stop() {
      for (const file of files) unwatchFile(file, reload)
    },
  }
}

const isSame = (one: TlsMaterial, other: TlsMaterial | undefined): boolean =>
  one.cert === other?.cert && one.key === other.key && one.ca === other.ca

const covers = (certificate: TlsMaterial['certificate'], host: string): boolean =>
  (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
