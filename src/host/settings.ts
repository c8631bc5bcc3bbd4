import { integer, list, seconds } from '../kernel/settings.ts'

export const settings = {
  trustedProxies: list(
    [],
    'Addresses or networks (10.0.0.0/8) of the reverse proxies whose X-Forwarded-For names the client. From anybody else the header is ignored.',
  ),
  shutdownSeconds: seconds(
    15,
    'How long requests under way may take to finish when the server is told to stop.',
  ),
  failuresPerMinute: integer(
    60,
    'How many refused client authentications one address may cause in a minute.',
    { minimum: 1 },
  ),
}
