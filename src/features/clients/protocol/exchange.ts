import { z } from 'zod'
import { absoluteUri, distinct } from '../../../kernel/fields.ts'
import { type ProtocolField, protocolField } from './field.ts'

const printable = (maximum: number) =>
  z
    .string()
    .regex(new RegExp(`^[\\x20-\\x7e]{1,${maximum}}$`), `must be 1 to ${maximum} printable characters`)

const indicator = absoluteUri.max(512, 'must have at most 512 characters')
const clientId = z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be a client_id')

export const exchangeModes = ['impersonate', 'delegate'] as const

const policy = z.strictObject({
  modes: distinct(z.enum(exchangeModes, `must be one of ${exchangeModes.join(', ')}`), 2).refine(
    (modes) => modes.length > 0,
    'must name impersonate, delegate or both',
  ),
  audiences: distinct(indicator, 100).refine(
    (all) => all.length > 0,
    'must name the APIs that tokens may be for',
  ),
  subjectClients: distinct(clientId, 100).default([]),
  subjectAudiences: distinct(indicator, 100).optional(),
  subjectIssuers: distinct(absoluteUri, 20).default([]),
})

/**
 * A subject ends with `*` only behind a delimiter, so that `repo:acme/*` covers what is below it and never the
 * neighbour `repo:acme-evil/…`.
 */
const subject = printable(512).refine(
  (text) => !text.includes('*') || /^[^*]{7,}[:/]\*$/.test(text),
  'must be exact, or end with :* or /* after at least 7 characters',
)

const claimValue = z.union([printable(512), z.number(), z.boolean()])

const credential = z.strictObject({
  issuer: absoluteUri,
  subject,
  audience: printable(512).optional(),
  claims: z
    .record(printable(128), claimValue)
    .refine((claims) => Object.keys(claims).length <= 20, 'must have at most 20 entries')
    .refine(
      (claims) =>
        !['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'].some((name) => Object.hasOwn(claims, name)),
      'must name claims beyond those that are always checked',
    )
    .optional(),
})

/** Which tokens of others a client may bring. */
export const exchangeFields = {
  tokenExchange: protocolField(
    policy,
    'What it may do by token exchange (RFC 8693), an object. modes: impersonate, delegate or both; audiences: the indicators of the APIs that the tokens may be for; subjectClients: the other clients whose tokens it may take; subjectAudiences: the APIs whose tokens it may take, any where nothing is said; subjectIssuers: the trusted issuers whose tokens it may take for the people mapped there.',
  ),
  mayAct: protocolField(
    z.strictObject({ sub: printable(255) }),
    'Who alone may act with its access tokens, an object with sub: a client_id or the identifier of a person (may_act of RFC 8693 §4.4).',
  ),
  federatedCredentials: protocolField(
    z
      .array(credential)
      .min(1, 'must have an entry')
      .max(20, 'must have at most 20 entries')
      .refine(
        (all) => new Set(all.map((each) => JSON.stringify(each))).size === all.length,
        'must not name the same twice',
      ),
    'The tokens of trusted issuers with which it proves itself (federated_jwt) or gets access tokens (RFC 7523), each an object: issuer and subject, which may end with :* or /*, and optionally audience and claims, an object of exact values.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
