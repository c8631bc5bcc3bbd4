import { fileURLToPath } from 'node:url'
import { freePort, runToEnd, serve } from './child.ts'
import type { Cleanup } from './cleanup.ts'
import type { Database } from './database.ts'
import { openDatabase } from './database.ts'
import { seed } from './seed.ts'
import type { Credentials, Running } from './target.ts'
import { discover } from './target.ts'

const launcher = fileURLToPath(new URL('../src/launch.mjs', import.meta.url))

/**
 * Starts Latchkey as its users do, on a fresh and seeded database.
 * The first start makes the keys and is not counted; the last of the others stays.
 */
export async function startLatchkey(options: {
  readonly database: Database
  readonly folder: string
  readonly starts: number
  readonly cleanup: Cleanup
  /** Clients beside those of the contract. */
  readonly crowd?: number
}): Promise<Running> {
  const { cleanup, database, crowd = 0 } = options
  const name = `latchkey-${database}${crowd === 0 ? '' : `-${crowd}`}`
  const folder = `${options.folder}/${name}`
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const env = {
    PORT: String(port),
    LATCHKEY_ISSUER: issuer,
    LATCHKEY_DATA_FOLDER: `${folder}/data`,
    LATCHKEY_KEY_FOLDER: `${folder}/keys`,
    // One person signs in at twenty browsers at once, which counts as guessing while it lasts.
    LATCHKEY_THROTTLE_ACCOUNT_FAILURES: '10000',
    LATCHKEY_THROTTLE_ADDRESS_FAILURES: '10000',
    LATCHKEY_THROTTLE_DEVICE_FAILURES: '10000',
    // As many registrations as there is time for.
    LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
    LATCHKEY_CLIENT_REGISTRATIONS_MAXIMUM: '1000000',
    LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '1000000',
    ...(await openDatabase(database, cleanup)),
  }
  const start = () =>
    serve({ args: [launcher, 'serve'], issuer, env, logFile: `${options.folder}/${name}.log`, cleanup })

  const first = await start()
  const seeded = await seed((args, input) => runToEnd({ args: [launcher, ...args], env, input, cleanup }))
  const crowded = crowd === 0 ? {} : { crowd: await makeCrowd(crowd, env, cleanup) }
  let served = first
  const coldStartsMs: number[] = []
  while (coldStartsMs.length < options.starts) {
    await served.stop()
    served = await start()
    coldStartsMs.push(served.coldStartMs)
  }
  return {
    target: { name, issuer, endpoints: await discover(issuer), ...seeded, ...crowded },
    pid: served.pid,
    coldStartsMs,
    stop: served.stop,
  }
}

async function makeCrowd(
  count: number,
  env: Readonly<Record<string, string>>,
  cleanup: Cleanup,
): Promise<readonly Credentials[]> {
  const script = fileURLToPath(new URL('client-crowd.ts', import.meta.url))
  return JSON.parse(await runToEnd({ args: [script, String(count)], env, cleanup }))
}
