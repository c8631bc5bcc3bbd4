import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { maximumBodyBytes, openOutbound } from '../../src/provider/outbound.ts'

const own: Server[] = []
afterEach(async () => {
  for (const server of own.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A server of the test's own on the address that `localhost` stands for here. */
async function listening(answer: RequestListener) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    answer(request, response)
  })
  own.push(server)
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port, address } = server.address() as AddressInfo
  const literal = address.includes(':') ? `[${address}]` : address
  return { url: `http://localhost:${port}/`, literal: `http://${literal}:${port}/`, address, requests }
}

const failure = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => undefined,
    (error: unknown) => error,
  )

const messages = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${messages(error.cause)}` : ''

const strict = { allowPrivate: false, allowHosts: [] }

describe('by default', () => {
  const { fetch } = openOutbound(strict)

  it.each([
    'https://127.0.0.1:1/',
    'https://2130706433:1/',
    'https://0x7f000001:1/',
    'https://0x7f.1:1/',
    'https://0177.0.0.1:1/',
    'https://127.1:1/',
    'https://127.0.0.1.:1/',
    'https://①②⑦.0.0.1:1/',
    'https://10.0.0.1:1/',
    'https://169.254.169.254:1/latest/meta-data/',
    'https://[::1]:1/',
    'https://[::]:1/',
    'https://[::ffff:127.0.0.1]:1/',
    'https://[::ffff:7f00:1]:1/',
    'https://[64:ff9b::10.0.0.1]:1/',
    'https://[fe80::1]:1/',
    'https://[4000::1]:1/',
    'https://[2002:808:808::1]:1/',
  ])('an address of this machine or its network is refused: %s', async (url) => {
    const refused = { code: 'outbound.special_address', status: 502 }
    await expect(fetch(url)).rejects.toMatchObject(refused)
    await expect(fetch(new URL(url))).rejects.toMatchObject(refused)
    await expect(fetch(new Request(url))).rejects.toMatchObject(refused)
  })

  it.each(['localhost', 'LOCALHOST'])('so is a name that leads there, unconnected: %s', async (name) => {
    let connections = 0
    const server = createTcpServer((socket) => {
      connections += 1
      socket.destroy()
    })
    server.listen(0, 'localhost')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const error = await failure(fetch(`https://${name}:${port}/`))
    await new Promise((resolve) => server.close(resolve))
    expect(messages(error)).toContain('localhost resolves to a special-use address')
    expect(connections).toBe(0)
  })

  it.each(['http:', 'ftp:', 'data:', 'ws:'])('only https is fetched: not %s', async (scheme) => {
    const { url, requests } = await listening((_request, response) => response.end())
    await expect(fetch(url.replace('http:', scheme))).rejects.toMatchObject({
      code: 'outbound.insecure',
      status: 502,
    })
    expect(requests).toEqual([])
  })
})

describe('an allowed host', () => {
  const { fetch } = openOutbound({ allowPrivate: false, allowHosts: ['localhost'] })

  it('is fetched, over http and on this machine too', async () => {
    const { url, requests } = await listening((_request, response) => response.end('{"keys":[]}'))
    const response = await fetch(`${url}jwks.json`, { headers: { accept: 'application/json' } })
    expect([response.status, await response.json()]).toEqual([200, { keys: [] }])
    expect(requests).toEqual(['/jwks.json'])
  })

  it('is the name that was given and not the address it leads to, nor a name like it', async () => {
    const { url, literal, requests } = await listening((_request, response) => response.end())
    for (const other of [
      literal,
      url.replace('localhost', 'localhost.'),
      url.replace('localhost', 'a.localhost'),
    ]) {
      await expect(fetch(other)).rejects.toMatchObject({ code: 'outbound.insecure' })
    }
    await expect(fetch(literal.replace('http:', 'https:'))).rejects.toMatchObject({
      code: 'outbound.special_address',
    })
    expect(requests).toEqual([])
  })

  it('may be an address', async () => {
    const { literal, address } = await listening((_request, response) => response.end('here'))
    const response = await openOutbound({ allowPrivate: false, allowHosts: [address] }).fetch(literal)
    expect(await response.text()).toBe('here')
  })
})

describe('with private addresses allowed', () => {
  const { fetch } = openOutbound({ allowPrivate: true, allowHosts: [] })

  it('a name and an address of this machine are fetched', async () => {
    const { url, literal } = await listening((_request, response) => response.end('here'))
    expect(await (await fetch(url)).text()).toBe('here')
    expect(await (await fetch(literal)).text()).toBe('here')
  })

  it('other schemes are not', async () => {
    await expect(fetch('file:///etc/hostname')).rejects.toMatchObject({ code: 'outbound.insecure' })
  })

  it.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    const { url, requests } = await listening((_request, response) =>
      response.writeHead(status, { location: '/elsewhere' }).end(),
    )
    expect(await failure(fetch(url))).toBeInstanceOf(TypeError)
    expect(await failure(fetch(url, { redirect: 'follow' }))).toBeInstanceOf(TypeError)
    expect(requests).toEqual(['/', '/'])
  })

  it.each([
    ['with its length', true],
    ['piece by piece', false],
  ])('a body is read up to its limit and not a byte further, sent %s', async (_how, withLength) => {
    const { url } = await listening((request, response) => {
      const body = Buffer.alloc(Number(request.url?.slice(1)), 'a')
      if (withLength) return response.end(body)
      response.write(body.subarray(0, 1_000))
      response.end(body.subarray(1_000))
    })
    const length = async (bytes: number) => (await (await fetch(`${url}${bytes}`)).arrayBuffer()).byteLength
    expect(await length(maximumBodyBytes)).toBe(64 * 1024)
    await expect(length(maximumBodyBytes + 1)).rejects.toThrow()
  })

  it.each([
    ['br', brotliCompressSync],
    ['gzip', gzipSync],
  ])(
    'a small answer that is a large one packed as %s, which nobody asked for, is not unpacked',
    async (encoding, pack) => {
      const packed = pack(Buffer.alloc(64 * 1024 * 1024))
      const asked: unknown[] = []
      const { url } = await listening((request, response) => {
        asked.push(request.headers['accept-encoding'])
        response.setHeader('content-encoding', encoding)
        response.end(request.url === '/small' ? pack(Buffer.from('{}')) : packed)
      })
      const before = process.memoryUsage().rss
      await expect(fetch(url).then((response) => response.text())).rejects.toThrow('larger than')
      await expect(fetch(url).then((response) => response.json())).rejects.toThrow('larger than')
      expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024)
      expect(await (await fetch(`${url}small`)).json()).toEqual({})
      expect(asked).toEqual(['identity', 'identity', 'identity'])
    },
  )

  it('a redirect can be looked at by who asks for that, and leads nowhere', async () => {
    const { url, requests } = await listening((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(302)
    await expect(fetch(url, { redirect: 'follow' })).rejects.toThrow()
    expect(requests).toEqual(['/', '/'])
  })

  it('the caller can break it off', async () => {
    const { url, requests } = await listening(() => undefined)
    const caller = new AbortController()
    const pending = failure(fetch(url, { signal: caller.signal }))
    await expect.poll(() => requests).toEqual(['/'])
    caller.abort()
    expect(await pending).toMatchObject({ name: 'AbortError' })
  })

  it('a server that hangs before or within its answer is left after five seconds', async () => {
    const silent = await listening(() => undefined)
    const halfway = await listening((_request, response) => response.write('{"keys":'))
    const started = performance.now()
    const errors = await Promise.all(
      [silent, halfway].map(({ url }) => failure(fetch(url).then((response) => response.text()))),
    )
    expect(performance.now() - started).toBeGreaterThan(4_900)
    expect(errors).toMatchObject([{ name: 'TimeoutError' }, { name: 'TimeoutError' }])
    expect([silent.requests, halfway.requests]).toEqual([['/'], ['/']])
  })
})

describe('once it is closed', () => {
  it('breaks off what is under way, and fetches nothing any more', async () => {
    const { fetch, close } = openOutbound({ allowPrivate: true, allowHosts: [] })
    const { url, requests } = await listening((request, response) => {
      if (request.url === '/') response.end('here')
    })
    await (await fetch(url)).text()
    const pending = failure(fetch(`${url}silent`))
    await expect.poll(() => requests).toEqual(['/', '/silent'])
    await close()
    // Not because its five seconds were over.
    expect(await pending).not.toMatchObject({ name: 'TimeoutError' })
    expect(await pending).toBeInstanceOf(Error)
    await expect(fetch(url)).rejects.toMatchObject({ code: 'outbound.closed', status: 503 })
    expect(requests).toHaveLength(2)
  })

  it('is closed where it never fetched anything, and twice', async () => {
    const { close } = openOutbound(strict)
    await close()
    await close()
  })
})
