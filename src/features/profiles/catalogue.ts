import type { Text } from '../../kernel/text.ts'

/** How a field is written and checked. */
export type FieldKind = 'line' | 'lines' | 'date' | 'phone' | 'link'

/** How a field is called, written, checked and given away. */
export interface StandardField {
  readonly label: Text
  readonly kind: FieldKind
  /** The scope that gives it (OpenID Connect Core 1.0 §5.4). */
  readonly scope: 'profile' | 'phone' | 'address'
  readonly autocomplete: string
}

const line = (label: Text, autocomplete: string): StandardField => ({
  label,
  autocomplete,
  kind: 'line',
  scope: 'profile',
})

/** The claims of OpenID Connect Core 1.0 §5.1 that a profile can hold; the others are those of the user. */
export const standardFields: Readonly<Record<string, StandardField>> = {
  middle_name: line({ key: 'profiles.middle-name' }, 'additional-name'),
  nickname: line({ key: 'profiles.nickname' }, 'nickname'),
  gender: line({ key: 'profiles.gender' }, 'sex'),
  profile: { ...line({ key: 'profiles.profile' }, 'url'), kind: 'link' },
  website: { ...line({ key: 'profiles.website' }, 'url'), kind: 'link' },
  birthdate: { ...line({ key: 'profiles.birthdate' }, 'bday'), kind: 'date' },
  phone_number: { ...line({ key: 'profiles.phone-number' }, 'tel'), kind: 'phone', scope: 'phone' },
  address: { ...line({ key: 'profiles.address' }, 'street-address'), kind: 'lines', scope: 'address' },
}

/** Whether OpenID Connect has a field of this name, which then is of its kind. */
export const isStandard = (name: string): boolean => Object.hasOwn(standardFields, name)

/** Claims and fields of forms with a meaning of their own, which nobody may take for a field. */
const reserved = new Set([
  ...[
    'sub',
    'iss',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'acr',
    'amr',
    'azp',
    'auth_time',
    'nonce',
    'sid',
    'cnf',
    'act',
  ],
  ...['at_hash', 'c_hash', 's_hash', 'scope', 'client_id', 'may_act', 'events', 'typ', 'vot', 'vtm'],
  ...[
    'name',
    'given_name',
    'family_name',
    'preferred_username',
    'picture',
    'locale',
    'zoneinfo',
    'updated_at',
  ],
  ...['email', 'email_verified', 'phone_number_verified', 'username', 'verified_claims'],
  ...['roles', 'groups', 'permissions', 'entitlements', 'admin', 'administrator'],
  ...['id', 'password', 'terms', 'code', 'token', 'invitation', 'file', 'constructor', 'prototype'],
])

/** Whether no field may have this name. */
export const isReserved = (name: string): boolean => reserved.has(name)
