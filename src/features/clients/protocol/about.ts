import { z } from 'zod'
import { distinct, httpsUri } from '../../../kernel/fields.ts'
import { levels } from '../../../kernel/levels.ts'
import { type ProtocolField, protocolField } from './field.ts'

/** The classes that ID tokens report as `acr`, one for each level. */
const acrValues = levels.map((level) => `urn:latchkey:acr:${level}` as const)
const aYear = 366 * 86_400
/** What the library takes for an e-mail address. */
const contact = z
  .string()
  .max(254, 'must have at most 254 characters')
  .regex(/^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/, 'must be an e-mail address')

/** What a client says of itself and of who runs it. */
export const aboutFields = {
  initiateLoginUri: protocolField(
    httpsUri,
    'Where it begins a sign-in that people start from here (OpenID Connect Core 1.0 §4); their account page leads to it. https only.',
  ),
  defaultMaxAge: protocolField(
    z
      .int('must be a whole number of seconds')
      .min(0, 'must be at least 0')
      .max(aYear, `must be at most ${aYear}`),
    'Seconds after which people have to sign in anew to get into it, where its request does not say.',
  ),
  requireAuthTime: protocolField(
    z.boolean(),
    'Its ID tokens must say when the person signed in, as all of ours do.',
  ),
  defaultAcrValues: protocolField(
    distinct(z.enum(acrValues, `must be one of ${acrValues.join(', ')}`), acrValues.length),
    'What it asks a sign-in to be worth (acr), where its request does not say. requiredLevel demands instead of asking.',
  ),
  contacts: protocolField(
    distinct(contact, 20),
    'E-mail addresses of those who run it, for the operator of this server.',
  ),
} as const satisfies Readonly<Record<string, ProtocolField>>
