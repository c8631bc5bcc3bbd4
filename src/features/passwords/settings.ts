import { integer, seconds } from '../../kernel/settings.ts'

export const settings = {
  minimumLength: integer(
    8,
    'Characters a new password has at least. NIST advises 15 where a password is the only factor.',
    {
      minimum: 8,
      maximum: 64,
    },
  ),
  argon2MemoryKib: integer(
    19_456,
    'Memory of one Argon2id hash in KiB. Existing passwords are hashed anew at their next sign-in.',
    {
      minimum: 19_456,
      maximum: 1_048_576,
    },
  ),
  argon2Passes: integer(2, 'Passes of one Argon2id hash.', { minimum: 2, maximum: 64 }),
  argon2Parallelism: integer(1, 'Lanes of one Argon2id hash.', { minimum: 1, maximum: 16 }),
  concurrentHashes: integer(
    1,
    'Passwords hashed at the same time, each in a thread of its own that gives way to everything else. One does some forty a second; with more than half as many as the machine has cores, other requests wait noticeably longer while many people sign in.',
    { minimum: 1, maximum: 64 },
  ),
  waitingHashes: integer(
    200,
    'Passwords that may wait to be hashed. Beyond that, sign-ins are asked to try again in a moment.',
    { minimum: 0, maximum: 10_000 },
  ),
  invitationSeconds: seconds(
    86_400,
    'How long a new user has to choose a password with the one-time link.',
    60,
  ),
  resetSeconds: seconds(3_600, 'How long the one-time link for resetting a password works.', 60),
}
