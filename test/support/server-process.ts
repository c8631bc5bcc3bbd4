/**
 * The server in a process of its own, to be killed, or to be the second one over a database.
 *
 *     await using other = await startServerProcess({ databaseUrl: latchkey.databaseUrl, issuer: latchkey.issuer })
 *     await send(other, '/health/ready')
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Door, Fields } from './application.ts'
import { masterKey } from './latchkey.ts'

export interface ServerProcess extends Door, AsyncDisposable {
  readonly port: number
  /** Ends it as `kill -9` does; resolves when it is gone. */
  kill(): Promise<void>
}

export interface ServerProcessOptions {
  readonly databaseUrl: string
  readonly issuer: string
  /** One from the system unless told. */
  readonly port?: number
  readonly environment?: Fields
}

const script = fileURLToPath(new URL('serve.ts', import.meta.url))

export async function startServerProcess({
  databaseUrl,
  issuer,
  port = 0,
  environment = {},
}: ServerProcessOptions): Promise<ServerProcess> {
  const settings = {
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    LATCHKEY_ISSUER: issuer,
    LATCHKEY_LISTEN_ADDRESS: 'localhost',
    LATCHKEY_MASTER_KEY: masterKey,
  }
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { PATH: process.env.PATH, ...settings, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const gone = once(child, 'exit')
  child.stdin.on('error', () => undefined)
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const ready = Promise.withResolvers<number>()
  createInterface({ input: child.stdout }).once('line', (line) => ready.resolve(Number(line)))
  gone.then(() => ready.reject(new Error(`The server ended before it listened:\n${complaint}`)), ready.reject)

  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await gone
  }
  try {
    return { issuer, port: await ready.promise, kill, [Symbol.asyncDispose]: kill }
  } catch (error) {
    await kill()
    throw error
  }
}
