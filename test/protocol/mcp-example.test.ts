import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { walk } from '../support/application.ts'
import { freePort, type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { type SectorServer, startSectorServer } from '../support/sector-server.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada', password: 'analytical engine 1843' }
const example = (file: string): string => join(import.meta.dirname, '../../examples/mcp-server', file)

describe('an agent and the MCP server of the example', () => {
  let latchkey: RunningLatchkey
  let documents: SectorServer
  let server: ChildProcess
  let resource: string

  beforeAll(async () => {
    documents = await startSectorServer()
    latchkey = await startLatchkey({
      environment: {
        LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
        LATCHKEY_CLIENT_REGISTRATIONS_POLICY:
          '{"kinds":["native"],"scopes":["openid","offline_access","notes:read"]}',
        LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENTS: 'listed',
        LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENT_HOSTS: 'localhost',
        LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENT_SCOPES: 'openid,offline_access,notes:read',
        LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
      },
    })
    await latchkey.createUser(ada)
    const port = await freePort()
    resource = `http://localhost:${port}/mcp`
    await latchkey.createApi({
      indicator: resource,
      name: 'Notes',
      scopes: [{ name: 'notes:read' }],
      tokenFormat: 'jwt',
    })
    server = fork(example('server.ts'), {
      env: { ISSUER: latchkey.issuer, PORT: String(port) },
      silent: true,
    })
    await once(server.stdout ?? server, 'data')
  })
  afterAll(async () => {
    server?.kill()
    await latchkey?.close()
    await documents?.close()
  })

  /** Starts the agent, does what it asks a person to do, and answers with all that it said. */
  async function run(environment: Readonly<Record<string, string>>): Promise<string> {
    const agent = fork(example('client.ts'), { env: { SERVER: resource, ...environment }, silent: true })
    const said: string[] = []
    agent.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    const lines = createInterface({ input: agent.stdout ?? process.stdin })
    const ended = once(agent, 'exit')
    for await (const line of lines) {
      said.push(line)
      const url = /^Open (.*)$/.exec(line)?.[1]
      if (url === undefined) continue
      const visitor = newVisitor()
      const back = await walk(visitor, await visitor.get(url), ada)
      await fetch(back.location ?? '').catch((error) => {
        throw new Error(`${back.status} ${back.location}\n${said.join('\n')}`, { cause: error })
      })
    }
    await ended
    return said.join('\n')
  }

  it('find each other, and the agent registers, calls a tool and renews its token', async () => {
    const said = await run({ CALLBACK_PORT: String(await freePort()) })
    expect(said).toContain('Call Grace')
    expect(said).toContain('Renewed true')
    const { items } = await latchkey.app.features.clients.resource.list({ limit: 10 })
    expect(items).toMatchObject([{ name: 'Notes agent', origin: 'registration', kind: 'native' }])
  })

  it('need no registration where the agent describes itself', async () => {
    const port = String(await freePort())
    const id = `${new URL(documents.url).origin}/agent`
    documents.publish({
      client_id: id,
      client_name: 'Described agent',
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    })
    const said = await run({ CALLBACK_PORT: port, CLIENT_ID_DOCUMENT: id })
    expect(said).toContain('Call Grace')
    expect(said).toContain('Renewed true')
    expect(await latchkey.app.features.clients.resource.find(id)).toMatchObject({ origin: 'document' })
  })
})
