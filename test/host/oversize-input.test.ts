import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectRefused, formType, openTarget, type Target } from '../support/malformed.ts'
import { exchangeBytes } from '../support/wire.ts'

const megabyte = 1024 * 1024

/** A body of so many megabytes whose length is not announced. */
const inChunks = (megabytes: number): ReadableStream<Uint8Array> => {
  let left = megabytes
  return new ReadableStream({
    pull(controller) {
      left -= 1
      if (left < 0) controller.close()
      else controller.enqueue(new Uint8Array(megabyte).fill(97))
    },
  })
}
describe('oversize input', () => {
  let target: Target
  beforeAll(async () => {
    target = await openTarget()
  })
  afterAll(() => target.close())

  it.each(['/token', '/setup', '/interaction/x/password', '/no-such-page', '/me', '/sign-out', '/auth'])(
    'of 10 MB to %s is refused',
    async (path) => {
      const headers = { 'content-type': formType, origin: target.door.latchkey.issuer }
      const withLength = await fetch(target.door.latchkey.issuer + path, {
        method: 'POST',
        headers,
        body: Buffer.alloc(10 * megabyte, 'a'),
      })
      expect(withLength.status).toBe(413)
      const chunked = await fetch(
        target.door.latchkey.issuer + path,
        Object.assign({ method: 'POST', headers, body: inChunks(10) }, { duplex: 'half' }),
      )
      expectRefused(chunked.status, path)
      if (['/setup', '/sign-out', '/interaction/x/password'].includes(path)) expect(chunked.status).toBe(413)
      const lying = await exchangeBytes(
        target.port,
        Buffer.from(
          `POST ${path} HTTP/1.1\r\nHost: ${target.host}\r\nContent-Type: ${formType}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
        ),
      )
      expectRefused(lying.status, 'length and chunks')
    },
  )

  it('of any size in an address or header is refused', async () => {
    for (const length of [9_000, 100_000]) {
      expectRefused((await target.get(`/auth?state=${'x'.repeat(length)}`)).status, 'address')
      expectRefused((await target.get(`/${'x'.repeat(length)}`)).status, 'path')
    }
    expectRefused((await target.get('/', [['X-Long', 'x'.repeat(100_000)]])).status, 'header')
  })

  it('that is no HTTP is refused', async () => {
    for (const text of [
      '\r\n\r\n\r\nx',
      'GET / HTTP/9.9\r\n\r\n',
      'nonsense\r\n\r\n',
      `GET /a b HTTP/1.1\r\nHost: ${target.host}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${target.host}\r\nX: a\nY: b\0\r\n\r\n`,
      `POST /token HTTP/1.1\r\nHost: ${target.host}\r\nContent-Length: -1\r\n\r\n`,
    ]) {
      expectRefused((await exchangeBytes(target.port, Buffer.from(text))).status, JSON.stringify(text))
    }
  })
})
