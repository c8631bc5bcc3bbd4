import { z } from 'zod'
import { absoluteUri, isHttps, isLoopbackHttp } from '../../../kernel/fields.ts'
import { type ProtocolField, protocolField } from './field.ts'

/** Where an application hears of a logout. A query is kept as it is; a fragment would never be sent. */
const logoutUri = absoluteUri
  .refine((text) => !text.includes('#'), 'must have no fragment (#)')
  .refine(
    (text) => isHttps(text) || isLoopbackHttp(text),
    'must begin with https://, or with http:// on localhost, 127.0.0.1 or [::1]',
  )

/** How a client is told that somebody signed out. */
export const logoutFields = {
  backchannelLogoutUri: protocolField(
    logoutUri,
    'Where the server sends a logout token when a session ends in which it signed somebody in (OpenID Connect Back-Channel Logout 1.0).',
  ),
  backchannelLogoutSessionRequired: protocolField(
    z.boolean(),
    'Its logout tokens must name the session (sid), as all of ours do.',
  ),
  frontchannelLogoutUri: protocolField(
    logoutUri,
    'What the page after a sign-out loads in a hidden frame (OpenID Connect Front-Channel Logout 1.0). Of the origin of one of its redirectUris.',
  ),
  frontchannelLogoutSessionRequired: protocolField(
    z.boolean(),
    'That frame must be told issuer and session (iss, sid), as all of ours are.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
