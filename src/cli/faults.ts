import { AppError } from '../kernel/errors.ts'
import type { InputFault, Parsed } from '../kernel/input.ts'
import { plain } from './print.ts'

/** What the process answers its caller with. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** The command line itself was not understood. */
export const usage = (message: string): AppError => new AppError('command-line.usage', 400, message)

export const interrupted = (): AppError =>
  new AppError('command-line.interrupted', 400, 'Interrupted. Nothing was changed.')

export function exitCodeOf(error: AppError): number {
  if (error.code === 'command-line.usage') return exitCodes.usage
  return error.code === 'command-line.interrupted' ? exitCodes.interrupted : exitCodes.failed
}

/** The input, or a usage error that names each option at fault. */
export function acceptOptions({ input, faults }: Parsed, flagOf: (field: string) => string) {
  if (input !== undefined) return input
  throw usage((faults ?? []).map((fault) => sentence(fault, flagOf)).join('\n'))
}

function sentence({ path, message }: InputFault, flagOf: (field: string) => string): string {
  const [field, entry, ...rest] = path
  const place = typeof entry === 'number' ? `, entry ${entry + 1}` : entry === undefined ? '' : `, ${entry}`
  const inside = rest.length === 0 ? '' : ` (${rest.join('.')})`
  const subject = field === undefined ? 'The options' : `${flagOf(String(field))}${place}${inside}`
  return `${subject} ${message}${/[.!?]$/.test(message) ? '' : '.'}`
}

/** `error:` and what to do, for standard error. */
export function errorText(error: unknown): string {
  if (error instanceof AppError)
    return error.message
      .split('\n')
      .map((line) => `error: ${plain(line)}\n`)
      .join('')
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `error: Something failed that should not. Please report it with what follows.\n${detail}\n`
}
