import { pino } from 'pino'
import type { Log } from '../kernel/log.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'auto' | 'json' | 'pretty'
}

export interface OpenLog {
  readonly log: Log
  /** Writes out what is still in memory. */
  flush(): void
}

/** Names under which a secret could ever reach a log line, at any of the first levels. */
const secretNames = [
  'password', 'secret', 'client_secret', 'clientSecret', 'token', 'access_token', 'refresh_token', 'id_token', 'code',
  'code_verifier', 'client_assertion', 'assertion', 'authorization', 'cookie', 'set-cookie', 'dpop', 'jti', 'masterKey',
]
const paths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`].map((path) => path.replace(/\.?([\w]+-[\w]+)$/, '["$1"]')))

/** The code of an error (`ECONNREFUSED`, `P2002`) is what is looked for first, and no secret. */
const censor = (value: unknown, path: string[]): unknown =>
  path[0] === 'err' && path.at(-1) === 'code' && /^[A-Z][A-Z0-9_]{1,40}$/.test(String(value)) ? value : '[redacted]'

/** For commands: warnings and errors as JSON on standard error, so that standard output is the answer alone. */
export const commandLog = (): Log => pino({ level: 'warn', redact: { paths, censor: '[redacted]' }, base: undefined }, pino.destination({ dest: 2, sync: true })) as unknown as Log

/** JSON lines, which cannot be forged by line breaks; readable lines on a terminal. */
export async function openLog({ level, format }: LogOptions): Promise<OpenLog> {
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  const stream = readable
    ? (await import('pino-pretty')).default({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', sync: true })
    : pino.destination({ dest: 1, sync: false, minLength: 4_096 })
  const logger = pino({ level, redact: { paths, censor }, base: undefined }, stream)
  const flushing = readable ? undefined : setInterval(() => logger.flush(), 500).unref()
  return {
    log: logger as unknown as Log,
    flush() {
      clearInterval(flushing)
      if ('flushSync' in stream) stream.flushSync()
    },
  }
}
