import { z } from 'zod'

/** Where a declared claim may be told. */
export const claimPlaces = ['id_token', 'userinfo', 'access_token'] as const

export type ClaimPlace = (typeof claimPlaces)[number]

/** Names that the protocol itself gives a meaning, or that others take as vouched for; nobody declares them anew. */
const reserved = new Set([
  ...[
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'typ',
    'cnf',
    'act',
    'may_act',
    'sid',
    'sub_jwk',
    'events',
  ],
  ...['acr', 'amr', 'auth_time', 'azp', 'nonce', 'at_hash', 'c_hash', 's_hash', 'toe', 'txn'],
  ...[
    'client_id',
    'scope',
    'authorization_details',
    'active',
    'token_type',
    'token_introspection',
    'grant_ref',
    'exchange_ref',
    'subject_ref',
  ],
  ...['email_verified', 'phone_number_verified', 'updated_at', '_claim_names', '_claim_sources'],
  ...['verified_claims', '__proto__', 'constructor', 'prototype'],
])

/** Claims of a user that a declared one can be taken from; those of the profile are whatever the operator has set up. */
export const userSources = [
  'email',
  'name',
  'given_name',
  'family_name',
  'preferred_username',
  'locale',
  'zoneinfo',
] as const

const valueLength = 1_000
const plain = z.union([z.string().max(valueLength), z.number(), z.boolean()])

const claimName = z
  .string()
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
  .refine((name) => !reserved.has(name), 'must be another name, as the protocol gives this one a meaning')

const source = z
  .string()
  .refine((from) => from !== 'groups', 'must not be groups, as there are none; use fixed or profile.<field>')
  .refine(
    (from) =>
      from === 'fixed' ||
      /^profile\.[a-z][a-z0-9_]{0,63}$/.test(from) ||
      userSources.some((name) => from === `user.${name}`),
    `must be fixed, profile.<field>, or one of ${userSources.map((name) => `user.${name}`).join(', ')}`,
  )

const fixedValue = z.union(
  [plain, z.array(plain).max(100, 'must have at most 100 entries')],
  'must be text, a number, true, false, or a list of them',
)

const declared = { claim: claimName, from: source, value: fixedValue.optional() }

const hasItsValue = ({ from, value }: { readonly from: string; readonly value?: unknown }): boolean =>
  (from === 'fixed') === (value !== undefined)
const itsValue = 'must have a value where it is fixed, and only there'

const once = (all: readonly { readonly claim: string }[]): boolean =>
  new Set(all.map(({ claim }) => claim)).size === all.length

const maximum = 50
const listOf = <T extends { readonly claim: string }>(item: z.ZodType<T>): z.ZodType<T[]> =>
  z
    .array(item)
    .max(maximum, `must have at most ${maximum} entries`)
    .refine(once, 'must not name a claim twice')

/** Claims of tokens for an API. */
export const tokenClaims = listOf(z.strictObject(declared).refine(hasItsValue, itsValue))

/** Claims for a client, and where each is told. */
export const placedClaims = listOf(
  z
    .strictObject({
      ...declared,
      in: z
        .array(z.enum(claimPlaces, `must be one of ${claimPlaces.join(', ')}`))
        .min(1, 'must name a place')
        .default([...claimPlaces]),
    })
    .refine(hasItsValue, itsValue),
)

/** A claim that an administrator has declared: its value, or where that comes from. */
export interface DeclaredClaim {
  readonly claim: string
  readonly from: string
  readonly value?: unknown
}

export interface PlacedClaim extends DeclaredClaim {
  readonly in: readonly ClaimPlace[]
}
