import { z } from 'zod'
import { absoluteUri, isLoopbackHttp } from '../../../kernel/fields.ts'
import { type ProtocolField, protocolField } from './field.ts'

export const backchannelGrant = 'urn:openid:params:grant-type:ciba'

const notificationUri = absoluteUri
  .refine((text) => !text.includes('#'), 'must have no fragment (#)')
  .refine(
    (text) => text.startsWith('https://') || isLoopbackHttp(text),
    'must begin with https://, or with http:// on localhost',
  )

/** How a client asks for a person who is elsewhere (OpenID Connect CIBA 1.0 §4). */
export const backchannelFields = {
  backchannelTokenDeliveryMode: protocolField(
    z.enum(['poll', 'ping'], 'must be poll or ping'),
    'How it learns that a person who is elsewhere has answered: poll (it asks again and again, the default) or ping (it is told, and asks then).',
  ),
  backchannelClientNotificationEndpoint: protocolField(
    notificationUri,
    'Where a client of the mode ping is told that a person has answered.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
