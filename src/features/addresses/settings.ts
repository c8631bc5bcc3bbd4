import { choice, seconds } from '../../kernel/settings.ts'

export const settings = {
  verification: choice(
    ['optional', 'required'],
    'optional',
    'Whether somebody whose e-mail address is not confirmed must confirm it with a mailed code before a sign-in ends. Needs mail.',
  ),
  proofSeconds: seconds(3_600, 'How long the mailed code and link that confirm an address work.', 300),
  againSeconds: seconds(60, 'How long somebody waits before he can have another of these mails.', 1),
}
