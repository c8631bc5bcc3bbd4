import { type LoggerOptions, pino, stdSerializers } from 'pino'
import type { Log } from '../kernel/log.ts'
import { redacted } from './redact.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'auto' | 'json' | 'pretty'
}

export interface OpenLog {
  readonly log: Log
  /** Writes out what is still in memory. */
  flush(): void
}

const options = (level: LogOptions['level']): LoggerOptions => ({
  level,
  base: undefined,
  // pino's own redaction by wildcard paths costs more than the rest of a request.
  formatters: { log: (fields) => redacted(fields) as Record<string, unknown> },
  serializers: { err: (error) => redacted(stdSerializers.err(error)) },
})

/** For commands: warnings and errors as JSON on standard error, so that standard output is the answer alone. */
export const commandLog = (): Log =>
  pino(options('warn'), pino.destination({ dest: 2, sync: true })) as unknown as Log

/** JSON lines, which cannot be forged by line breaks; readable lines on a terminal. */
export async function openLog({ level, format }: LogOptions): Promise<OpenLog> {
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  const stream = readable
    ? (await import('pino-pretty')).default({
        colorize: process.stdout.isTTY,
        ignore: 'pid,hostname',
        sync: true,
      })
    : pino.destination({ dest: 1, sync: false, minLength: 4_096 })
  const logger = pino(options(level), stream)
  const flushing = readable ? undefined : setInterval(() => logger.flush(), 500).unref()
  return {
    log: logger as unknown as Log,
    flush() {
      clearInterval(flushing)
      if ('flushSync' in stream) stream.flushSync()
    },
  }
}
