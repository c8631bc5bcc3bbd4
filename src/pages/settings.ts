import { seconds } from '../kernel/settings.ts'

export const settings = {
  reauthenticationSeconds: seconds(
    600,
    'How long after proving who one is credentials, the address and ways to recover may be changed; afterwards it is asked for again.',
    30,
  ),
}
