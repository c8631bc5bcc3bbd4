import { integer, seconds } from '../../kernel/settings.ts'

const failures = { minimum: 1, maximum: 10_000 }

export const settings = {
  accountFailures: integer(
    5,
    'Failed sign-ins to one account, from browsers it has not been used in, before the next one must wait.',
    failures,
  ),
  deviceFailures: integer(
    10,
    'Failed sign-ins to one account from a browser it has been used in before the next one must wait.',
    failures,
  ),
  addressFailures: integer(
    100,
    'Failed sign-ins from one address (IPv6: one /64) before the next one must wait. Many people may share an address.',
    failures,
  ),
  firstWaitSeconds: seconds(30, 'The first wait. It doubles with every further failure.'),
  maximumWaitSeconds: seconds(900, 'The longest wait.'),
  forgetSeconds: seconds(3_600, 'How long after the last failure and its wait failures are forgotten.', 60),
  knownDeviceSeconds: seconds(
    180 * 86_400,
    'How long after a sign-in a browser counts as one the account has been used in.',
    3_600,
  ),
}
