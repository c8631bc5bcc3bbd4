import { choice, flag, list, seconds } from '../kernel/settings.ts'

export const settings = {
  accessTokenTtlSeconds: seconds(
    600,
    'How long an access token lives where its API does not say otherwise.',
    60,
  ),
  accessTokenMaximumSeconds: seconds(
    86_400,
    'How long an access token may live at most, whatever its API or application says.',
    60,
  ),
  idTokenTtlSeconds: seconds(
    3_600,
    'How long an ID token is valid. Applications may be given less, never more.',
    60,
  ),
  refreshTokenIdleSeconds: seconds(
    14 * 86_400,
    'How long a refresh token of a public client lives when it is not used. Those of other clients do not rotate and live for the maximum.',
    300,
  ),
  refreshTokenMaximumSeconds: seconds(
    90 * 86_400,
    'How long a sign-in can be renewed by refresh tokens at most.',
    300,
  ),
  sessionIdleSeconds: seconds(86_400, 'How long a session lives when it is not used.', 60),
  sessionMaximumSeconds: seconds(
    14 * 86_400,
    'How long a session lives at most, used or not, where the person asked to stay signed in.',
    60,
  ),
  sessionBriefMaximumSeconds: seconds(
    43_200,
    'How long a session lives at most where the person did not ask to stay signed in. It ends with the browser, too.',
    60,
  ),
  sessionAddresses: flag(
    false,
    'Keep with each session the address of its last use, and show it to the person. Addresses in the audit are kept either way.',
  ),
  deviceCodeTtlSeconds: seconds(
    600,
    'How long a device waits for its person to type its code (RFC 8628).',
    60,
  ),
  interactionTtlSeconds: seconds(1_800, 'How long a person has to finish signing in.', 60),
  dpopNonces: choice(
    ['accepted', 'fapi', 'required'],
    'accepted',
    'Whose DPoP proofs must carry a nonce of the server (RFC 9449 §8): accepted is those of clients with dpopNonceRequired, fapi those of clients with a FAPI profile too, required all.',
  ),
  outboundAllowPrivate: flag(
    false,
    'Let the server call what clients and issuers name (key sets, logout and notification addresses, documents) at private, loopback and link-local addresses.',
  ),
  outboundAllowHosts: list([], 'Host names of such addresses that may resolve to private ones.'),
}
