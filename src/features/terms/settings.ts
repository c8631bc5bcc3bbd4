import { optionalText, optionalUrl } from '../../kernel/settings.ts'

export const settings = {
  url: optionalUrl(
    'Where the terms of use are. With a version, everybody accepts them: when an account is made, else at the next sign-in.',
  ),
  version: optionalText(
    'The version of the terms, such as 2026-03. Whoever has accepted another one is asked again at the next sign-in.',
  ),
  privacyUrl: optionalUrl('Where the privacy policy is, named beside the terms.'),
}
