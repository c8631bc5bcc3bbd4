import { seconds } from '../../kernel/settings.ts'

export const settings = {
  rotationSeconds: seconds(
    90 * 86_400,
    'How long a signing key signs before the next one takes over.',
    3_600,
  ),
  publishSeconds: seconds(
    86_400,
    'How long the next key is published before it signs, so that applications which cache the key set have it.',
    0,
  ),
  retentionSeconds: seconds(
    30 * 86_400,
    'How long a retired key stays published. Must outlast every token it signed.',
    3_600,
  ),
}
