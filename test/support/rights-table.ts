/**
 * What each thing in hand is still good for after each loss. A loss names an outcome and the things that have it; an outcome
 * that begins with `not applicable:` or `kept:` says why the thing is worth as much as before.
 */
import type { LossName } from './losses.ts'
import type { Thing } from './rights-things.ts'

export type Row = Readonly<Record<string, readonly Thing[]>>

const code = ['authorization code'] as const
const refresh = ['refresh token that rotates', 'refresh token that stays'] as const
const approved = ['device code', 'backchannel request'] as const
const waiting = ['device code that waits', 'backchannel request that waits'] as const
const exchange = ['token exchange'] as const
const forItself = ['client credentials', 'JWT bearer assertion', 'federated client'] as const
const toldOf = ['opaque access token at introspection', 'JWT access token at introspection'] as const
const userinfo = ['access token at user information'] as const
const cookie = ['session cookie'] as const
const pending = ['pending interaction'] as const
const pushed = ['pushed request'] as const

const noUser = 'not applicable: the client acts for itself, and no person stands behind it'
const nobodys = 'not applicable: nobody has said yet who he is'
const unanswered = 'kept: nobody has given anything yet; the person decides when he answers'
const outlives = 'kept: offline access was given to outlive the session'
const noApi = 'not applicable: it is for no API'
const noIssuer = 'not applicable: no issuer outside vouches for it'

/** What was given to a person's applications is over, whatever was left open. */
const given = {
  '400 invalid_grant': [...code, ...refresh, ...approved],
  '400 invalid_request': exchange,
  '401 invalid_token': userinfo,
  inactive: toldOf,
} as const satisfies Row

/** Everything of a person is over. */
const person = {
  ...given,
  '400 invalid_grant': [...given['400 invalid_grant'], 'backchannel request that waits'],
  'led back: login_required': cookie,
  'page 410': pending,
  [noUser]: forItself,
  [nobodys]: ['device code that waits', ...pushed],
} as const satisfies Row

/** The session and what was given in it are over. */
const session = {
  ...given,
  'led back: login_required': cookie,
  [noUser]: forItself,
  [nobodys]: pushed,
  [unanswered]: waiting,
} as const satisfies Row

/** A client that is none any more. */
const client = {
  '401 invalid_client': [...code, ...refresh, ...approved, ...waiting, ...exchange, ...forItself],
  '401 invalid_token': userinfo,
  inactive: toldOf,
  'page 400': [...cookie, ...pushed],
  'page 410': pending,
} as const satisfies Row

/** What was given to a client is over, whatever it may have anew. */
const givenToClient = {
  '401 invalid_token': userinfo,
  inactive: toldOf,
  'page 410': pending,
} as const satisfies Row

const everything: readonly Thing[] = [
  ...[...code, ...refresh, ...approved, ...waiting, ...exchange, ...forItself],
  ...[...userinfo, ...toldOf, ...cookie, ...pending, ...pushed],
]

export const table: Readonly<Record<LossName, Row>> = {
  'the user is disabled': person,
  'the user is deleted': person,
  'strangers guess at the password until no guess is taken': {
    'not applicable: nobody is locked out by strangers; guesses wait, and the account goes on': everything,
  },
  'consent is withdrawn': {
    ...given,
    [noUser]: forItself,
    [nobodys]: pushed,
    [unanswered]: waiting,
    'kept: the sign-in is not what was withdrawn, and an own application asks nobody': cookie,
    'kept: the page asks for consent, and whoever sends it gives it anew': pending,
  },
  'the person signs out': {
    ...session,
    '400 invalid_grant': [...code, ...approved],
    'page 410': pending,
    [outlives]: refresh,
  },
  'the person ends the session from elsewhere': { ...session, 'page 410': pending },
  'an administrator ends all sessions': person,
  'the session runs out': {
    ...session,
    '400 invalid_grant': [...code, ...approved],
    'page 403': pending,
    [outlives]: refresh,
  },
  'the password is reset': person,
  'the second factor is added': person,
  'the second factor is removed': person,
  'the client is disabled': client,
  'the client is disabled and enabled again': {
    ...givenToClient,
    '400 invalid_grant': [...code, ...refresh, ...approved, ...waiting],
    'page 400': pushed,
    'kept: the client has its rights again, and asks anew': [...forItself, ...exchange, ...cookie],
  },
  'the client is deleted': client,
  'the grant type is taken from the client': {
    ...givenToClient,
    '400 unauthorized_client': client['401 invalid_client'],
    'page 400': [...cookie, ...pushed],
  },
  'a scope is taken from the client': {
    ...givenToClient,
    '400 invalid_grant': [...code, ...refresh, ...approved, ...waiting],
    // Without the scope it has none of that API.
    '400 invalid_target': [...forItself, ...exchange],
    'led back: invalid_scope': cookie,
    'page 400': pushed,
  },
  'the redirect URI is taken from the client': {
    'page 400': [...cookie, ...pending, ...pushed],
    'kept: it was sent to where it belonged at the time, and only the client can redeem it': code,
    'not applicable: no browser is sent anywhere with it': [
      ...[...refresh, ...approved, ...waiting, ...exchange, ...forItself],
      ...[...userinfo, ...toldOf],
    ],
  },
  'the API is disabled': {
    '400 invalid_target': [...code, ...exchange, ...forItself],
    inactive: toldOf,
    [noApi]: [...refresh, ...approved, ...waiting, ...userinfo, ...cookie, ...pending, ...pushed],
  },
  'the trusted issuer is disabled': {
    '400 invalid_grant': ['JWT bearer assertion'],
    '401 invalid_client': ['federated client'],
    [noIssuer]: everything.filter(
      (thing) => thing !== 'JWT bearer assertion' && thing !== 'federated client',
    ),
  },
  'the client gets a stricter profile': {
    ...givenToClient,
    '400 invalid_grant': [
      ...[...code, ...approved, ...waiting, ...exchange],
      ...(['refresh token that stays', 'client credentials', 'JWT bearer assertion'] as const),
    ],
    'led back: invalid_request': cookie,
    'page 400': pushed,
    'not applicable: a client without a key of its own cannot have the profile': [
      'refresh token that rotates',
      'federated client',
    ],
  },
}
