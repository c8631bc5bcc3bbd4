import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AppError } from './errors.ts'

const version = 'v1'
const ivBytes = 12
const tagBytes = 16

/** Seals what must be read back from the database. AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D). */
export interface Sealing {
  /** `row` names the place of the value (`table:id:column`) and is authenticated: a sealed value moved elsewhere does not open. */
  seal(value: string, row: string): string
  /** Throws `sealing.unreadable` when the key, the row or the value is not the one that sealed it. */
  open(sealed: string, row: string): string
  /** A 32-byte key for one purpose, derived by HKDF-SHA-256 (RFC 5869). */
  derive(purpose: string): Buffer
}

/** `masterKey` is 32 bytes. */
export function openSealing(masterKey: Buffer): Sealing {
  if (masterKey.length !== 32) throw new AppError('sealing.bad_key', 500, 'The master key must be 32 bytes.')
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `latchkey/${purpose}`, 32))
  const key = derive('sealing')

  return {
    derive,

    seal(value, row) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(row))
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
      return `${version}.${Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64url')}`
    },

    open(sealed, row) {
      try {
        const [prefix, text = ''] = sealed.split('.')
        if (prefix !== version) throw new Error(`unknown version ${prefix}`)
        const bytes = Buffer.from(text, 'base64url')
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        })
        decipher.setAAD(Buffer.from(row)).setAuthTag(bytes.subarray(-tagBytes))
        const body = bytes.subarray(ivBytes, -tagBytes)
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new AppError(
          'sealing.unreadable',
          500,
          `A sealed value (${row}) does not open: the master key in use is not the one that sealed it. Put back the key that belongs to this database.`,
          { cause },
        )
      }
    },
  }
}
