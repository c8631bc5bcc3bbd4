import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as oauth from 'oauth4webapi'
import { expect, it, onTestFinished } from 'vitest'
import { freePort, startLatchkey } from '../support/latchkey.ts'

const example = join(import.meta.dirname, '../../examples/mcp-server/server.ts')

it('tells where its tokens come from, and refuses those that are not for it', async () => {
  await using latchkey = await startLatchkey()
  const port = await freePort()
  const resource = new URL(`http://localhost:${port}/mcp`)
  await latchkey.createApi({
    indicator: resource.href,
    name: 'Notes',
    scopes: [{ name: 'notes:read' }, { name: 'notes:write' }],
    tokenFormat: 'jwt',
  })
  await latchkey.createApi({
    indicator: `${resource.href}/other`,
    name: 'Other',
    scopes: [{ name: 'notes:read' }],
    tokenFormat: 'jwt',
  })
  const client = await latchkey.createClient({
    kind: 'service',
    name: 'Job',
    scopes: ['notes:read', 'notes:write'],
  })
  const server = fork(example, { env: { ISSUER: latchkey.issuer, PORT: String(port) }, silent: true })
  onTestFinished(() => void server.kill())
  await once(server.stdout ?? server, 'data')

  const response = await oauth.resourceDiscoveryRequest(resource, { [oauth.allowInsecureRequests]: true })
  const metadata = await oauth.processResourceDiscoveryResponse(resource, response)
  expect(metadata).toMatchObject({
    authorization_servers: [latchkey.issuer],
    scopes_supported: ['notes:read'],
  })

  const tokenFor = async (indicator: string, scope: string): Promise<string> => {
    const answer = await fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: indicator, scope }),
    })
    return String(((await answer.json()) as { access_token: string }).access_token)
  }
  const call = async (token?: string) => {
    const answer = await fetch(resource, {
      method: 'POST',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
    return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '' }
  }
  const metadataUrl = `http://localhost:${port}/.well-known/oauth-protected-resource/mcp`
  expect(await call()).toEqual({
    status: 401,
    challenge: `Bearer resource_metadata="${metadataUrl}", scope="notes:read"`,
  })
  expect((await call('nonsense')).challenge).toContain('error="invalid_token"')
  expect((await call(await tokenFor(`${resource.href}/other`, 'notes:read'))).status).toBe(401)
  expect(await call(await tokenFor(resource.href, 'notes:write'))).toMatchObject({ status: 403 })
  expect([401, 403]).not.toContain((await call(await tokenFor(resource.href, 'notes:read'))).status)
})
