import { seconds } from '../../kernel/settings.ts'

export const settings = {
  trustSeconds: seconds(
    30 * 86_400,
    'How long a browser that its person chose to trust is not asked for a second step; 0 never offers it.',
    0,
  ),
}
