import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort, startLatchkey } from '../support/latchkey.ts'

const example = (file: string): string => join(import.meta.dirname, '../../examples/service', file)
const audience = 'https://orders.example.com'

it('shows a service how to call an API, and the API how to tell a token that is meant for it', async () => {
  await using latchkey = await startLatchkey()
  await latchkey.createApi({ indicator: audience, name: 'Orders', scopes: [{ name: 'orders:read' }] })
  await latchkey.createApi({
    indicator: `${audience}/other`,
    name: 'Other',
    scopes: [{ name: 'orders:read' }],
  })
  const client = await latchkey.createClient({
    kind: 'service',
    name: 'Order report',
    scopes: ['orders:read'],
  })
  const port = String(await freePort())
  const api = fork(example('api.ts'), { env: { ISSUER: latchkey.issuer, PORT: port }, silent: true })
  onTestFinished(() => void api.kill())
  await once(api.stdout ?? api, 'data')

  const run = (environment: Readonly<Record<string, string>>) =>
    promisify(execFile)(process.execPath, [example('service.ts')], {
      env: {
        ISSUER: latchkey.issuer,
        CLIENT_ID: client.id,
        CLIENT_SECRET: client.secret,
        API: `http://localhost:${port}`,
        ...environment,
      },
    })
  expect((await run({})).stdout).toContain('A padlock')
  await expect(run({ AUDIENCE: `${audience}/other` })).rejects.toMatchObject({
    stdout: expect.stringContaining('401'),
  })
})
