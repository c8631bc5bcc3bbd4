/** The sample application of development mode: registered by itself, started and ended with the server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { App } from './app.ts'
import { AppError } from './kernel/errors.ts'
import { systemActor } from './kernel/http.ts'
import { accept, type Input, parseCreate, parseUpdate } from './kernel/input.ts'

const clientId = 'sample-application'
const secretLabel = 'until the server starts anew'
const startSeconds = 10

export interface SampleApplication {
  readonly url: string
  stop(): Promise<void>
}

export const sampleUrl = (port: number): string => `http://localhost:${port}/`

/** Resolves when it answers. Throws where it does not start. */
export async function startSample(app: App): Promise<SampleApplication> {
  const port = app.config.server.samplePort
  const url = sampleUrl(port)
  const secret = await register(app, url)
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../examples/sample-application/main.ts')],
    {
      env: {
        PATH: process.env.PATH,
        ISSUER: app.config.issuer,
        CLIENT_ID: clientId,
        CLIENT_SECRET: secret,
        PORT: String(port),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  )
  const gone = once(child, 'exit')
  const late = AbortSignal.timeout(startSeconds * 1000)
  await Promise.race([
    once(child, 'message', { signal: late }),
    gone.then(() => Promise.reject(new Error('it ended at once'))),
  ])
  return {
    url,
    async stop() {
      if (child.connected) child.disconnect()
      await gone
    },
  }
}

/** Registers it, or corrects what is registered, and gives it a secret of its own for this run. */
async function register({ features: { clients } }: App, url: string): Promise<string> {
  const { resource } = clients
  const uris = { redirectUris: [`${url}callback`], postLogoutRedirectUris: [url], clientUri: undefined }
  const known = await resource.find(clientId)
  if (known === undefined) {
    const input = {
      id: clientId,
      name: 'Sample application',
      kind: 'web',
      grantTypes: ['authorization_code', 'refresh_token'],
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      ...uris,
    }
    const { reveals } = await resource.create(
      accept(parseCreate(resource.fields, withoutUndefined(input))),
      systemActor,
    )
    return reveals?.secret ?? ''
  }
  const { item } = await resource.update(
    known,
    accept(parseUpdate(resource.fields, withoutUndefined(uris))),
    systemActor,
  )
  const run = (name: string, input: Input) =>
    resource.actions.find((action) => action.name === name)?.run(item, input, systemActor)
  for (const { id } of item.secrets) await run('remove-secret', { secretId: id })
  const added = await run('add-secret', { label: secretLabel })
  return added?.reveals?.secret ?? ''
}

const withoutUndefined = (input: Input): Input =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))

/** What development mode registered has no place in production. */
export async function removeSample({ features: { clients } }: App): Promise<void> {
  const known = await clients.resource.find(clientId)
  // An operator's own client of that name has addresses of his own.
  const [redirectUri, ...others] = known?.redirectUris ?? []
  const isOurs = others.length === 0 && redirectUri?.startsWith('http://localhost:') === true
  if (known === undefined || !isOurs) return
  await clients.resource.delete(known, systemActor).catch(unlessGone)
}

/** Of several processes that start at once, one removes it. */
function unlessGone(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'clients.unknown') throw error
}
