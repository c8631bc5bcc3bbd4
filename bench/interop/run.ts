/**
 * Clients in the wild against a running Latchkey, as `docs/clients` says to configure them:
 *
 *     node bench/interop/run.ts [name…]
 *
 * Each signs a person in and, where it can, out again. Those that are not on this machine are passed over and named.
 * Ends with 1 when one failed.
 */
import { installCleanup } from '../cleanup.ts'
import { NotHere, openGround } from './ground.ts'
import { peers } from './peers.ts'

const limitSeconds = 900

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !peers.some((peer) => peer.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `Not known: ${unknown.join(', ')}. Known: ${peers.map(({ name }) => name).join(', ')}\n`,
  )
  process.exit(1)
}

const cleanup = installCleanup(limitSeconds)
try {
  const ground = await openGround(cleanup)
  for (const peer of peers) {
    if (wanted.length > 0 && !wanted.includes(peer.name)) continue
    const [verdict, words] = await peer.run(ground, cleanup).then(
      (versions) => ['pass', versions] as const,
      (error: unknown) =>
        error instanceof NotHere
          ? (['not here', error.message] as const)
          : (['FAIL', String(error)] as const),
    )
    process.stdout.write(`${verdict.padEnd(8)}  ${peer.name.padEnd(18)}  ${words}\n`)
    if (verdict === 'FAIL') process.exitCode = 1
  }
} finally {
  await cleanup.run()
}
