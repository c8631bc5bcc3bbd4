import { flag, integer, list, optionalText, seconds } from '../../kernel/settings.ts'

export const settings = {
  rpId: optionalText(
    'The domain that passkeys are made for (the RP ID of WebAuthn); the host of the issuer where not set. Passkeys work for the domain alone for which they were made, so keep the old host here when the server moves to another one.',
  ),
  relatedOrigins: list(
    [],
    'Origins such as https://id.example.org on which passkeys of this server may be used besides the issuer’s own. They are published at /.well-known/webauthn, where browsers look them up (WebAuthn Level 3 §5.11).',
  ),
  limit: integer(20, 'Passkeys that one person can have.', { minimum: 1, maximum: 100 }),
  offer: flag(
    true,
    'After a sign-in without a passkey, people who have none are offered to add one, where their browser can.',
  ),
  offerAgainSeconds: seconds(
    30 * 86_400,
    'How long the offer stays away after “Not now”. “Don’t ask again” keeps it away for good.',
    3_600,
  ),
}
