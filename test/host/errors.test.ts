import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorRenderer } from '../../src/host/errors.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { keepingLog } from '../support/parties.ts'
import { newVisitor } from '../support/visitor.ts'

describe('errors', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
  })
  afterAll(() => latchkey.close())

  it.each([
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html'],
    ['text/html', 'text/html'],
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['image/png', 'application/json'],
    ['application/json, text/html', 'application/json'],
  ])('are told to whoever accepts %s as %s', async (accept, type) => {
    for (const [path, status] of [
      ['/no-such-page', 404],
      ['/%00', 400],
      ['/setup/no-such-page', 404],
      ['/assets/none.css', 404],
    ] as const) {
      const response = await fetch(latchkey.issuer + path, { headers: { accept } })
      expect([path, response.status, response.headers.get('content-type')?.split(';')[0]]).toEqual([
        path,
        status,
        type,
      ])
      expect(response.headers.get('cache-control')).toBe('no-store')
      const text = await response.text()
      expect(text).toContain(response.headers.get('x-request-id'))
      if (type === 'application/json')
        expect(JSON.parse(text)).toEqual({
          error: expect.stringMatching(/^host\./),
          error_description: expect.any(String),
          request_id: expect.any(String),
        })
      else expect(text).toContain('<h1>')
    }
  })

  it('say what happened in the reader’s language, and lead somewhere useful', async () => {
    const german = await newVisitor().get(`${latchkey.issuer}/no-such-page`, {
      'accept-language': 'de-AT,de;q=0.9',
    })
    expect(german.text).toContain('Hier ist nichts')
    expect(german.text).toContain('href="/"')
    expect((await newVisitor().get(`${latchkey.issuer}/no-such-page?ui_locales=de`)).text).toContain(
      'Hier ist nichts',
    )
    const path = '/no-such-page/<script>alert(1)</script>'
    const page = await newVisitor().get(latchkey.issuer + encodeURI(path))
    expect(page.status).toBe(404)
    expect(page.text).not.toContain('alert(1)')
  })

  it('of a form that outlived its page change nothing and say so', async () => {
    const page = await newVisitor().post(`${latchkey.issuer}/setup`, { token: 'x' })
    expect(page.status).toBe(403)
    expect(page.text).toContain('open for too long')
    expect(page.text).toContain('host.forged_form')
  })

  it('answer HEAD as GET without its body', async () => {
    for (const [path, status] of [
      ['/no-such-page', 404],
      ['/signed-out', 200],
      ['/jwks', 200],
      ['/health/live', 200],
      ['/setup', 403],
    ] as const) {
      const response = await fetch(latchkey.issuer + path, {
        method: 'HEAD',
        headers: { accept: 'text/html' },
      })
      expect([path, response.status, await response.text()]).toEqual([path, status, ''])
    }
  })

  it('refuse methods that a route does not have', async () => {
    for (const path of [
      '/',
      '/auth',
      '/token',
      '/me',
      '/jwks',
      '/setup',
      '/set-password',
      '/sign-out',
      '/signed-out',
      '/interaction/x',
      '/interaction/x/password',
      '/session/end',
      '/.well-known/openid-configuration',
      '/assets/x.css',
      '/no-such-page',
    ]) {
      for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'] as const) {
        if (method === 'TRACE') continue // fetch does not send it
        const { status } = await fetch(latchkey.issuer + path, { method })
        expect([404, 405, 204].includes(status), `${method} ${path} ${status}`).toBe(true)
        if (method !== 'OPTIONS') expect(status, `${method} ${path}`).not.toBe(204)
      }
    }
    expect((await fetch(`${latchkey.issuer}/token`)).status).toBe(404)
    expect((await fetch(`${latchkey.issuer}/jwks`, { method: 'POST' })).status).toBe(404)
  })

  it('that nobody foresaw tell the log what and the reader nothing', async () => {
    const log = keepingLog()
    const app = new Koa()
    const failures: readonly unknown[] = [
      new Error('the password is hunter2'),
      'a thrown string',
      undefined,
      null,
      { status: 200 },
      Object.assign(new Error('x'), { status: 404, expose: true }),
    ]
    let failure: unknown
    app.use((ctx, next) => {
      ctx.state.facts = { requestId: 'request-1', address: '192.0.2.1', userAgent: '' }
      return next()
    })
    app.use(
      errorRenderer({ log, unavailable: () => undefined, page: (_ctx, error) => `<h1>${error.code}</h1>` }),
    )
    app.use(() => {
      throw failure
    })
    const server = app.listen(0, 'localhost')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`
    for (failure of failures) {
      const response = await fetch(url)
      expect(response.status).toBe(500)
      const text = await response.text()
      expect(text).toContain('host.internal')
      expect(text).not.toContain('hunter2')
    }
    expect(log.lines.length).toBe(failures.length)
    expect(log.lines[0]).toMatchObject({
      fields: { requestId: 'request-1', errorCode: 'host.internal', err: failures[0] },
    })

    failure = new AppError('test.slow_down', 429, 'Wait.', { retryAfterSeconds: 7 })
    const waiting = await fetch(url)
    expect([waiting.status, waiting.headers.get('retry-after')]).toEqual([429, '7'])
    expect(log.lines.length).toBe(failures.length)
    server.close()
  })
})
