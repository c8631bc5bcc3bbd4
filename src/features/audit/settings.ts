import { seconds } from '../../kernel/settings.ts'

export const settings = {
  retentionSeconds: seconds(90 * 86_400, 'How long audit entries are kept.', 3_600),
}
