import { z } from 'zod'
import { flag, integer, optionalText, type Setting, seconds } from '../../kernel/settings.ts'
import { oneAddress } from './address.ts'
import { parseServerUrl } from './server-url.ts'

const smtpUrl: Setting<string | undefined> = {
  schema: z
    .string()
    .refine(
      (text) => parseServerUrl(text) !== undefined,
      'must be smtp://user:password@host:587 or smtps://user:password@host:465; write special characters of the password as %40, %2F and so on',
    ),
  type: 'mail server URL',
  fallback: undefined,
  documentation:
    'The server that takes outgoing mail: smtp://user:password@host:587 (the connection is upgraded by STARTTLS) or smtps://user:password@host:465. Without it no mail is sent; in development mode on this machine alone (localhost) mails are shown at /inbox.',
  secret: true,
}

const address = (documentation: string, fallbackText?: string): Setting<string | undefined> => ({
  schema: z
    .string()
    .refine(
      (text) => oneAddress(text) !== undefined,
      'must be one plain address such as no-reply@example.com',
    ),
  type: 'e-mail address',
  fallback: undefined,
  documentation,
  secret: false,
  ...(fallbackText !== undefined && { fallbackText }),
})

const caps = { minimum: 1, maximum: 100_000 }

export const settings = {
  smtpUrl,
  from: address('The address that mails come from.', 'no-reply@ and the host name of the issuer'),
  fromName: optionalText('The name that mails come from.', { fallbackText: 'the brand name' }),
  replyTo: address('Where answers go.'),
  allowUnprotected: flag(
    false,
    'Allow a mail server on another machine that offers no TLS, or a certificate that cannot be verified. Everybody on the way can then read codes and links.',
  ),
  timeoutSeconds: seconds(20, 'How long the mail server may take to answer, and three times as long in all.'),
  addressPerHour: integer(
    10,
    'Mails of one kind, such as codes, to one address in an hour, whoever causes them; more are not sent. Notices of changes, and mails asked for behind a proof or on a known device, are counted apart.',
    caps,
  ),
  addressPerDay: integer(40, 'The same in a day.', caps),
  accountPerHour: integer(
    20,
    'Mails of one kind about one account in an hour, to whichever addresses.',
    caps,
  ),
  accountPerDay: integer(80, 'The same in a day.', caps),
}
