/**
 * The sample application, in a process of its own as the server starts it, registered at a running Latchkey.
 *
 *     await using sample = await startSampleApplication(latchkey)
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort, type RunningLatchkey } from './latchkey.ts'

const program = join(import.meta.dirname, '../../examples/sample-application/main.ts')

export interface RunningSample extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string
  readonly clientId: string
}

/** Registers it as the server does in development mode: third-party, so that the consent page is seen once. */
export async function startSampleApplication(latchkey: RunningLatchkey): Promise<RunningSample> {
  const port = await freePort()
  const url = `http://localhost:${port}/`
  const client = await latchkey.createClient({
    id: 'sample-application',
    name: 'Sample application',
    kind: 'web',
    redirectUris: [`${url}callback`],
    postLogoutRedirectUris: [url],
  })
  const child = fork(program, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      ISSUER: latchkey.issuer,
      CLIENT_ID: client.id,
      CLIENT_SECRET: client.secret,
      PORT: String(port),
    },
  })
  const ended = once(child, 'exit')
  await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`The sample application ended with ${code}.`))),
  ])

  return {
    url,
    clientId: client.id,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
