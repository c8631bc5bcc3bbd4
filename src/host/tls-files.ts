import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AppError } from '../kernel/errors.ts'

export interface TlsSettings {
  readonly certificateFile: string | undefined
  readonly keyFile: string | undefined
  readonly clientCaFile: string | undefined
}

/** What the files hold, checked to fit together. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
  /** The server's own. */
  readonly certificate: X509Certificate
}

/**
 * Reads the files. `undefined` where none is named. Throws `host.tls_incomplete`, `host.tls_unreadable`, `host.tls_malformed`
 * and `host.tls_key_mismatch`, each with the variable to correct.
 */
export function readTls({ certificateFile, keyFile, clientCaFile }: TlsSettings): TlsMaterial | undefined {
  if (certificateFile === undefined && keyFile === undefined) {
    if (clientCaFile === undefined) return undefined
    throw incomplete(
      'LATCHKEY_TLS_CLIENT_CA_FILE counts where TLS ends at this server. Set LATCHKEY_TLS_CERTIFICATE_FILE and LATCHKEY_TLS_KEY_FILE too, or give the file to the proxy.',
    )
  }
  if (certificateFile === undefined || keyFile === undefined)
    throw incomplete('Set both LATCHKEY_TLS_CERTIFICATE_FILE and LATCHKEY_TLS_KEY_FILE, or neither.')
  const cert = textOf('LATCHKEY_TLS_CERTIFICATE_FILE', certificateFile)
  const key = textOf('LATCHKEY_TLS_KEY_FILE', keyFile)
  const ca = clientCaFile === undefined ? undefined : textOf('LATCHKEY_TLS_CLIENT_CA_FILE', clientCaFile)
  const [certificate] = certificatesOf('LATCHKEY_TLS_CERTIFICATE_FILE', certificateFile, cert)
  if (clientCaFile !== undefined) certificatesOf('LATCHKEY_TLS_CLIENT_CA_FILE', clientCaFile, ca ?? '')
  if (!certificate.checkPrivateKey(privateKey(keyFile, key))) {
    throw new AppError(
      'host.tls_key_mismatch',
      500,
      `The key in ${keyFile} is not the key of the first certificate in ${certificateFile}. Correct LATCHKEY_TLS_KEY_FILE, or put the server's own certificate first.`,
    )
  }
  return { cert, key, ca, certificate }
}

const incomplete = (message: string): AppError => new AppError('host.tls_incomplete', 500, message)

function textOf(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new AppError('host.tls_unreadable', 500, `${variable}: ${file}: ${why}. Correct it.`, { cause })
  }
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

function certificatesOf(
  variable: string,
  file: string,
  pem: string,
): readonly [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...others] = [...pem.matchAll(block)].map(([text]) => new X509Certificate(text))
    if (first === undefined) throw new SyntaxError('There is no certificate in it.')
    return [first, ...others]
  } catch (cause) {
    throw malformed(
      `${variable}: ${file} does not hold certificates in PEM ("BEGIN CERTIFICATE"). Correct it.`,
      cause,
    )
  }
}

function privateKey(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw malformed(
      `LATCHKEY_TLS_KEY_FILE: ${file} does not hold a private key in PEM without a passphrase. Correct it.`,
      cause,
    )
  }
}

const malformed = (message: string, cause: unknown): AppError =>
  new AppError('host.tls_malformed', 500, message, { cause })
