/**
 * A passkey authenticator in software, as a browser would drive it, and a liar where a test wants one: each part of what
 * it says can be given otherwise.
 *
 *     const device = newAuthenticator()
 *     const credential = device.create(creationOptions, { origin })
 *     const answer = device.get(requestOptions, { origin })
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string }
}

interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
  readonly allowCredentials: readonly { readonly id: string }[]
}

/** What a browser and an authenticator say, where it is not to be the truth. */
export interface Manner {
  readonly origin: string
  readonly challenge?: string
  readonly type?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  readonly rpId?: string
  readonly userPresent?: boolean
  readonly userVerified?: boolean
  readonly backupEligible?: boolean
  readonly backedUp?: boolean
  readonly counter?: number
  /** `null` leaves it out. */
  readonly userHandle?: string | null
  /** Of several passkeys the one to answer with; the last one made for the domain where absent. */
  readonly id?: string
  readonly aaguid?: string
  readonly transports?: readonly string[]
  /** An attestation statement instead of none, with its format. */
  readonly statement?: { readonly fmt: string; readonly attStmt: CborMap }
  /** Another's key signs. */
  readonly key?: KeyObject
}

export interface HeldPasskey {
  readonly id: string
  readonly rpId: string
  readonly userHandle: string
  readonly privateKey: KeyObject
  counter: number
}

export interface SoftwareAuthenticator {
  /** As the field `credential` of a form. `options` is JSON, as a page gives it. */
  create(options: string, manner: Manner): string
  get(options: string, manner: Manner): string
  readonly passkeys: readonly HeldPasskey[]
}

export interface AuthenticatorOptions {
  /** Counts its signatures; zero for ever where it does not, as in passkeys that are synced. */
  readonly counts?: boolean
  readonly backupEligible?: boolean
}

export function newAuthenticator(options: AuthenticatorOptions = {}): SoftwareAuthenticator {
  const { counts = true, backupEligible = false } = options
  const passkeys: HeldPasskey[] = []
  const next = (held: HeldPasskey): number => {
    if (counts) held.counter += 1
    return held.counter
  }

  return {
    passkeys,

    create(json, manner) {
      const { challenge, rp, user } = JSON.parse(json) as CreationOptions
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const id = manner.id ?? randomBytes(32).toString('base64url')
      const held = { id, rpId: rp.id, userHandle: user.id, privateKey, counter: 0 }
      passkeys.push(held)
      const authData = Buffer.concat([
        headOf(rp.id, next(held), { ...withDefaults(manner, backupEligible), attested: true }),
        aaguidBytes(manner.aaguid),
        lengthOf(id),
        Buffer.from(id, 'base64url'),
        cbor(coseKey(publicKey)),
      ])
      const { fmt, attStmt } = manner.statement ?? { fmt: 'none', attStmt: new Map() }
      const attestation = new Map<CborKey, Cbor>([
        ['fmt', fmt],
        ['attStmt', attStmt],
        ['authData', authData],
      ])
      return JSON.stringify({
        id,
        type: 'public-key',
        response: {
          clientDataJSON: clientData('webauthn.create', challenge, manner).toString('base64url'),
          attestationObject: cbor(attestation).toString('base64url'),
          transports: manner.transports ?? ['internal'],
        },
      })
    },

    get(json, manner) {
      const { challenge, rpId, allowCredentials } = JSON.parse(json) as RequestOptions
      const usable = passkeys.filter(
        (held) =>
          held.rpId === rpId &&
          (allowCredentials.length === 0 || allowCredentials.some(({ id }) => id === held.id)),
      )
      const held = passkeys.find(({ id }) => id === manner.id) ?? usable.at(-1)
      if (held === undefined) throw new Error(`The authenticator has no passkey for ${rpId}.`)
      const authData = headOf(rpId, manner.counter ?? next(held), withDefaults(manner, backupEligible))
      const client = clientData('webauthn.get', challenge, manner)
      const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()])
      const userHandle = manner.userHandle === undefined ? held.userHandle : manner.userHandle
      return JSON.stringify({
        id: held.id,
        type: 'public-key',
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: sign('sha256', signed, manner.key ?? held.privateKey).toString('base64url'),
          ...(userHandle !== null && { userHandle }),
        },
      })
    },
  }
}

const withDefaults = (manner: Manner, backupEligible: boolean): Manner => ({
  backupEligible,
  backedUp: manner.backupEligible ?? backupEligible,
  ...manner,
})

/** `CollectedClientData` (WebAuthn Level 3 §5.8.1). */
const clientData = (type: string, challenge: string, manner: Manner): Buffer =>
  Buffer.from(
    JSON.stringify({
      type: manner.type ?? type,
      challenge: manner.challenge ?? challenge,
      origin: manner.origin,
      crossOrigin: manner.crossOrigin ?? false,
      ...(manner.topOrigin && { topOrigin: manner.topOrigin }),
    }),
  )

/** The first 37 bytes of authenticator data (WebAuthn Level 3 §6.1). */
function headOf(rpId: string, counter: number, manner: Manner & { readonly attested?: boolean }): Buffer {
  const flags = [
    [manner.userPresent ?? true, 0x01],
    [manner.userVerified ?? true, 0x04],
    [manner.backupEligible, 0x08],
    [manner.backedUp, 0x10],
    [manner.attested, 0x40],
  ] as const
  const head = Buffer.alloc(37)
  createHash('sha256')
    .update(manner.rpId ?? rpId)
    .digest()
    .copy(head)
  head.writeUInt8(
    flags.reduce((sum, [set, bit]) => (set === true ? sum | bit : sum), 0),
    32,
  )
  head.writeUInt32BE(counter, 33)
  return head
}

const aaguidBytes = (aaguid = '00000000-0000-0000-0000-000000000000'): Buffer =>
  Buffer.from(aaguid.replaceAll('-', ''), 'hex')

function lengthOf(id: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Buffer.from(id, 'base64url').length)
  return length
}

/** ES256 (RFC 9053 §2.1, §7.1.1). */
function coseKey(publicKey: KeyObject): CborMap {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return new Map<CborKey, Cbor>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, Buffer.from(x, 'base64url')],
    [-3, Buffer.from(y, 'base64url')],
  ])
}

type CborKey = string | number
export type Cbor = string | number | Buffer | readonly Cbor[] | CborMap
export type CborMap = ReadonlyMap<CborKey, Cbor>

/** CBOR (RFC 8949 §3), as much of it as attestation objects use. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? start(1, -1 - value) : start(0, value)
  if (typeof value === 'string')
    return Buffer.concat([start(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([start(2, value.length), value])
  if (value instanceof Map) {
    const entries = [...(value as CborMap)].flatMap(([key, each]) => [cbor(key), cbor(each)])
    return Buffer.concat([start(5, entries.length / 2), ...entries])
  }
  const items = value as readonly Cbor[]
  return Buffer.concat([start(4, items.length), ...items.map(cbor)])
}

function start(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length])
  if (length < 0x100) return Buffer.from([(major << 5) | 24, length])
  const long = Buffer.from([(major << 5) | 25, 0, 0])
  long.writeUInt16BE(length, 1)
  return long
}
