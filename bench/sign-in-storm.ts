import type { Measured } from './load.ts'
import { runLoad } from './load.ts'
import type { Contender } from './measure.ts'
import { parameters } from './parameters.ts'
import { clientCredentials } from './scenarios.ts'
import { startPeople } from './sign-in-people.ts'

/** How a stream of JWT client-credentials requests fares alone and beside sign-ins. */
export interface Storm {
  readonly connections: number
  readonly quiet: readonly Measured[]
  readonly busy: readonly Measured[]
  readonly signInsPerSecond: readonly number[]
  readonly failedSignIns: number
  readonly firstFailure?: string
}

/**
 * Alternates quiet windows with windows beside `parameters.signIns` people who sign in again and again.
 * One connection shows the wait a single service feels, many show a server with all it can do.
 */
export async function measureStorm(
  contender: Contender,
  options: { readonly connections: number; readonly seconds: number; readonly rounds: number },
): Promise<Storm> {
  const quiet: Measured[] = []
  const busy: Measured[] = []
  const signInsPerSecond: number[] = []
  const failures: string[] = []
  const window = () => runLoad(clientCredentials(contender, 'es256', options.connections), options.seconds)
  await runLoad(clientCredentials(contender, 'es256', options.connections), options.seconds / 4)
  for (let round = 0; round < options.rounds; round += 1) {
    quiet.push(await window())
    const people = await startPeople({ target: contender.target, count: parameters.signIns })
    busy.push(await window())
    const outcome = await people.stop()
    signInsPerSecond.push(outcome.perSecond)
    failures.push(...outcome.failures)
  }
  return {
    connections: options.connections,
    quiet,
    busy,
    signInsPerSecond,
    failedSignIns: failures.length,
    ...(failures[0] === undefined ? {} : { firstFailure: failures[0] }),
  }
}
