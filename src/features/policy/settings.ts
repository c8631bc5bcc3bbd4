import { levels } from '../../kernel/levels.ts'
import { choice, seconds } from '../../kernel/settings.ts'

const meaning =
  'single-factor: one way to sign in; multi-factor: two, or a key kept by the person’s device that asks for a finger, a face or a PIN; phishing-resistant: such a key. Whoever has set up a second step is asked for it whatever this says.'

export const settings = {
  everyone: choice(levels, 'single-factor', `What everybody must prove to sign in. ${meaning}`),
  administrators: choice(
    levels,
    'single-factor',
    'What administrators must prove to sign in, where it is more than what everybody must.',
  ),
  graceSeconds: seconds(
    0,
    'How long a person who cannot prove that much yet may put off getting ready, from the first sign-in at which it is asked. 0: at once. What a client or a request demands is never put off.',
    0,
  ),
}
