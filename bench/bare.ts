import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { hash } from '@node-rs/argon2'
import { freePort, serve } from './child.ts'
import type { Cleanup } from './cleanup.ts'
import { parameters } from './parameters.ts'
import { fapiKeys } from './proofs.ts'
import type { Running } from './target.ts'
import { discover } from './target.ts'

/** Starts the bare provider as a child process, `starts` times over; the last one stays. */
export async function startBare(options: {
  readonly name: string
  readonly folder: string
  readonly starts: number
  readonly cleanup: Cleanup
}): Promise<Running> {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const [web, service] = [withSecret('bench-web'), withSecret('bench-service')]
  const fapi = { id: 'bench-fapi', key: fapiKeys.registered }
  const { identifier, name, password } = parameters.user
  const configuration = {
    issuer,
    port,
    keys: signingKeys(),
    web,
    service,
    fapi,
    user: { identifier, name, passwordHash: await hash(password, parameters.argon2) },
  }
  const start = () =>
    serve({
      args: [fileURLToPath(new URL('bare-server.ts', import.meta.url))],
      issuer,
      env: { BENCH_BARE: JSON.stringify(configuration), NODE_ENV: 'production' },
      logFile: `${options.folder}/${options.name}.log`,
      cleanup: options.cleanup,
    })

  const coldStartsMs: number[] = []
  let served = await start()
  coldStartsMs.push(served.coldStartMs)
  while (coldStartsMs.length < options.starts) {
    await served.stop()
    served = await start()
    coldStartsMs.push(served.coldStartMs)
  }
  return {
    target: {
      name: options.name,
      issuer,
      endpoints: await discover(issuer),
      web,
      service,
      fapi,
      apis: parameters.apis,
      user: { identifier, password },
    },
    pid: served.pid,
    coldStartsMs,
    stop: served.stop,
  }
}

const withSecret = (id: string) => ({ id, secret: randomBytes(32).toString('base64url') })

function signingKeys() {
  const pairs = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    EdDSA: generateKeyPairSync('ed25519'),
  }
  return Object.entries(pairs).map(([alg, { privateKey }]) => ({
    ...privateKey.export({ format: 'jwk' }),
    alg,
    kid: `bench-${alg}`,
    use: 'sig',
  }))
}
