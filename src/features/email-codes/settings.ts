import { choice, seconds } from '../../kernel/settings.ts'

export const settings = {
  use: choice(
    ['off', 'first', 'second', 'either'],
    'off',
    'Where a code and link by e-mail are offered: as the first proof of a sign-in, as the second one, or as either. Off unless chosen: as the first proof, whoever reads a mailbox can sign in; as the second it adds little where a password can be reset through the same mailbox, and NIST SP 800-63B-4 §3.1.3 does not count it. Needs mail.',
  ),
  codeSeconds: seconds(600, 'How long a mailed code and its link work.', 60),
  againSeconds: seconds(60, 'How long somebody waits before he can have another code mailed.', 1),
}
