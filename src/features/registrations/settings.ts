import { choice, seconds } from '../../kernel/settings.ts'

export const settings = {
  mode: choice(
    ['closed', 'invitation', 'open'],
    'closed',
    'Who may make an account: nobody but administrators for others, whoever has an invitation (`latchkey invitations create`), or everybody. `open` needs mail, since an address counts once its owner has typed the code sent to it.',
  ),
  codeSeconds: seconds(1_800, 'How long the code works that is sent to the address of a new account.', 60),
  invitationSeconds: seconds(
    7 * 86_400,
    'How long an invitation works unless its end is given when it is made.',
    60,
  ),
}
