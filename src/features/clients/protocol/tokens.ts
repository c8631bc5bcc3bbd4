import { z } from 'zod'
import { placedClaims } from '../../../kernel/declared-claims.ts'
import { absoluteUri, distinct } from '../../../kernel/fields.ts'
import { type ProtocolField, protocolField } from './field.ts'

const seconds = (minimum: number) =>
  z.int('must be a whole number of seconds').min(minimum, `must be at least ${minimum}`)

/** What the tokens of a client hold, and for how long. */
export const tokenFields = {
  accessTokenTtlSeconds: protocolField(
    seconds(60),
    'Seconds for which its access tokens are valid, where that is less than what the API and the server say.',
  ),
  idTokenTtlSeconds: protocolField(
    seconds(60),
    'Seconds for which its ID tokens are valid, where that is less than what the server says.',
  ),
  refreshTokenIdleSeconds: protocolField(
    seconds(300),
    'Seconds after which its refresh tokens end when they are not used, where that is less than what the server says. For a client without authentication, whose refresh tokens rotate.',
  ),
  refreshTokenMaximumSeconds: protocolField(
    seconds(300),
    'Seconds for which a sign-in can be renewed by refresh tokens at most, where that is less than what the server says.',
  ),
  extraClaims: protocolField(
    placedClaims,
    'Claims that it gets beside those of scopes: a list of { claim, from, value, in }. from is fixed, with a value; user.<claim>; or profile.<field>. in names id_token, userinfo and access_token, all three when nothing is said.',
  ),
  defaultResource: protocolField(
    absoluteUri,
    'The indicator of the API that it asks a token for where its request names none (RFC 8707), for programs that cannot. With openid among the scopes an access token is for userinfo, as ever.',
  ),
  authorizationDetailsTypes: protocolField(
    distinct(z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters'), 100),
    'The registered types of authorization details that it may ask for (RFC 9396). None when nothing is said.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
