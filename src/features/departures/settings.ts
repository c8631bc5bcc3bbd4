import { seconds } from '../../kernel/settings.ts'

export const settings = {
  waitSeconds: seconds(
    14 * 86_400,
    'How long an account whose owner wants it deleted stays, so that he can change his mind; 0 deletes it at once.',
    0,
  ),
}
