/**
 * What the protocol lets a client say of itself beyond its columns. The fields carry the registered names of client
 * metadata (IANA OAuth Dynamic Client Registration Metadata) in camel case, and are stored together as one JSON object.
 */
import { aboutFields } from './about.ts'
import { backchannelFields } from './backchannel.ts'
import { certificateFields } from './certificates.ts'
import { encryptionFields } from './encryption.ts'
import { exchangeFields } from './exchange.ts'
import type { ValuesOf } from './field.ts'
import { logoutFields } from './logout.ts'
import { profileFields } from './profiles.ts'
import { tokenFields } from './tokens.ts'

export const protocolFields = {
  ...profileFields,
  ...encryptionFields,
  ...certificateFields,
  ...logoutFields,
  ...backchannelFields,
  ...exchangeFields,
  ...tokenFields,
  ...aboutFields,
}

/** Each value, or `undefined` where nothing was said. */
export type Protocol = ValuesOf<typeof protocolFields>

/** The protocol's part of a client or draft, without what was not said. */
export const protocolOf = (client: Protocol): Protocol =>
  Object.fromEntries(
    Object.keys(protocolFields).flatMap((name) => {
      const value = client[name as keyof Protocol]
      return value === undefined || value === null ? [] : [[name, value]]
    }),
  )
