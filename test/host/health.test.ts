import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { health } from '../../src/host/health.ts'
import { databaseKind } from '../support/database.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { startPostgres } from '../support/postgres.ts'

const read = async (url: string) => {
  const response = await fetch(url)
  return [
    response.status,
    ((await response.json()) as { status: string }).status,
    response.headers.get('cache-control'),
  ]
}

describe('health', () => {
  it('is good while the server serves', async () => {
    await using latchkey = await startLatchkey()
    expect(await read(`${latchkey.issuer}/health/live`)).toEqual([200, 'ok', 'no-store'])
    expect(await read(`${latchkey.issuer}/health/ready`)).toEqual([200, 'ok', 'no-store'])
    expect((await fetch(`${latchkey.issuer}/health`)).status).toBe(404)
  })

  it('is ready neither without a database nor while it drains, and lives on', async () => {
    const state = { draining: false, database: true }
    const app = new Koa()
    app.use(
      health({
        draining: () => state.draining,
        ping: async () =>
          state.database ? undefined : Promise.reject(new Error('secret connection string')),
      }),
    )
    const server = app.listen(0, 'localhost')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://localhost:${(server.address() as AddressInfo).port}`
    expect(await read(`${url}/health/ready`)).toEqual([200, 'ok', 'no-store'])
    state.database = false
    expect(await read(`${url}/health/ready`)).toEqual([503, 'database unavailable', 'no-store'])
    expect(await read(`${url}/health/live`)).toEqual([200, 'ok', 'no-store'])
    state.database = true
    state.draining = true
    expect(await read(`${url}/health/ready`)).toEqual([503, 'draining', 'no-store'])
    expect(await read(`${url}/health/live`)).toEqual([200, 'ok', 'no-store'])
    server.close()
  })

  const onServer = databaseKind() === 'postgresql'
  if (onServer)
    it('follows a database server that stops and comes back, and so do the pages', async () => {
      await using postgres = await startPostgres()
      const { url } = await postgres.createDatabase()
      await using latchkey = await startLatchkey({ databaseUrl: url })
      const page = async () => {
        const response = await fetch(`${latchkey.issuer}/set-password?token=${'A'.repeat(43)}`, {
          headers: { accept: 'text/html' },
        })
        return [
          response.status,
          response.headers.get('retry-after'),
          (await response.text()).includes('name="password"'),
        ]
      }
      expect(await read(`${latchkey.issuer}/health/ready`)).toEqual([200, 'ok', 'no-store'])
      expect(await page()).toEqual([403, null, false])
      await postgres.stop()
      expect(await read(`${latchkey.issuer}/health/ready`)).toEqual([503, 'database unavailable', 'no-store'])
      expect(await read(`${latchkey.issuer}/health/live`)).toEqual([200, 'ok', 'no-store'])
      expect(await page()).toEqual([503, '5', false])
      await postgres.start()
      expect(await read(`${latchkey.issuer}/health/ready`)).toEqual([200, 'ok', 'no-store'])
      expect(await page()).toEqual([403, null, false])
    })
})
