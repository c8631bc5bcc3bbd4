import { pino } from 'pino'
import pretty from 'pino-pretty'
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

/** JSON lines, which cannot be forged by line breaks; readable lines on a terminal. */
export function openLog({ level, format }: LogOptions): OpenLog {
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  const stream = readable
    ? pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', sync: true })
    : pino.destination({ dest: 1, sync: false, minLength: 4_096 })
  const logger = pino({ level, redact: { paths, censor: '[redacted]' }, base: undefined }, stream)
  const flushing = readable ? undefined : setInterval(() => logger.flush(), 500).unref()
  return {
    log: logger as unknown as Log,
    flush() {
      clearInterval(flushing)
      if ('flushSync' in stream) stream.flushSync()
    },
  }
}
