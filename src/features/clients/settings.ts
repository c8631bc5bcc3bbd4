import { flag } from '../../kernel/settings.ts'

export const settings = {
  allowLegacy: flag(
    false,
    'Let clients have the security profile legacy: implicit and hybrid response types, and no PKCE for those that authenticate. Each such client is named by its field profile. Where this is taken back they get nothing any more.',
  ),
  allowHybrid: flag(
    false,
    'Let clients of the security profile fapi-1-advanced use the response type `code id_token`, with the ID token as detached signature. Without it they use code with a signed response (JARM).',
  ),
}
