import { seconds } from '../../kernel/settings.ts'

export const settings = {
  linkSeconds: seconds(86_400, 'How long the one-time link for creating the first administrator works.', 60),
}
