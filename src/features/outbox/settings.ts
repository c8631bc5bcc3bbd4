import { integer, seconds } from '../../kernel/settings.ts'

export const settings = {
  giveUpSeconds: seconds(
    3 * 86_400,
    'How long something that must be delivered, such as a mail, is tried again before it is given up.',
    60,
  ),
  longestWaitSeconds: seconds(
    600,
    'The longest wait between two attempts. The first one is ten seconds, and it doubles with every failure.',
    10,
  ),
  atOnce: integer(4, 'Deliveries of one kind at the same time in one process.', { minimum: 1, maximum: 100 }),
  keepAbandonedSeconds: seconds(
    14 * 86_400,
    'How long what was given up is kept, to be looked at and tried again.',
    3_600,
  ),
}
