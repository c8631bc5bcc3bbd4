/**
 * Owns how the command line is written, read and answered. Every verb of the features is derived from their
 * definitions, so it knows none of them by name.
 * Does not own what the verbs do.
 */
import { CommanderError } from 'commander'
import { AppError } from '../kernel/errors.ts'
import { errorText, exitCodeOf, exitCodes } from './faults.ts'
import type { CommandLinePorts } from './ports.ts'
import { buildProgram } from './program.ts'
import { groupsOf, verbsOf } from './verbs.ts'

export { commandLineDocument } from './document.ts'
export type { CommandLinePorts, MigrationReport, OpenedFeatures } from './ports.ts'

/**
 * Runs what follows `latchkey` and answers with the exit code: 0 done, 1 refused or failed, 2 not understood, 130
 * interrupted. Never throws; what went wrong is on standard error.
 */
export async function runCommandLine(argv: readonly string[], ports: CommandLinePorts): Promise<number> {
  // A reader that has seen enough, such as `head`, is no failure.
  ports.stdout.on('error', ignoreClosedPipe)
  const program = buildProgram(verbsOf(ports.definitions), groupsOf(ports.definitions), ports)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const explained = error instanceof AppError ? error : ports.explain?.(error)
    ports.stderr.write(errorText(explained ?? error))
    return explained === undefined ? exitCodes.failed : exitCodeOf(explained)
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
