import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isSpecialAddress, maximumBodyBytes, openOutbound } from '../../src/provider/outbound.ts'

describe('a special-use address', () => {
  // The block, its first and last address; then the nearest addresses that are a public server's.
  it.each([
    ['0.0.0.0/8', ['0.0.0.0', '0.255.255.255'], ['1.0.0.0']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
    ['100.64.0.0/10', ['100.64.0.0', '100.127.255.255'], ['100.63.255.255', '100.128.0.0']],
    ['127.0.0.0/8', ['127.0.0.0', '127.0.0.1', '127.255.255.255'], ['126.255.255.255', '128.0.0.0']],
    [
      '169.254.0.0/16',
      ['169.254.0.0', '169.254.169.254', '169.254.255.255'],
      ['169.253.255.255', '169.255.0.0'],
    ],
    ['172.16.0.0/12', ['172.16.0.0', '172.31.255.255'], ['172.15.255.255', '172.32.0.0']],
    ['192.0.0.0/24', ['192.0.0.0', '192.0.0.255'], ['191.255.255.255', '192.0.1.0']],
    ['192.0.2.0/24', ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0']],
    ['192.88.99.0/24', ['192.88.99.0', '192.88.99.255'], ['192.88.98.255', '192.88.100.0']],
    ['192.168.0.0/16', ['192.168.0.0', '192.168.255.255'], ['192.167.255.255', '192.169.0.0']],
    ['198.18.0.0/15', ['198.18.0.0', '198.19.255.255'], ['198.17.255.255', '198.20.0.0']],
    ['198.51.100.0/24', ['198.51.100.0', '198.51.100.255'], ['198.51.99.255', '198.51.101.0']],
    ['203.0.113.0/24', ['203.0.113.0', '203.0.113.255'], ['203.0.112.255', '203.0.114.0']],
    ['224.0.0.0/4', ['224.0.0.0', '239.255.255.255'], ['223.255.255.255']],
    ['240.0.0.0/4', ['240.0.0.0', '255.255.255.255'], []],
    ['::/96', ['::', '::1', '::10.0.0.1', '::ffff:ffff'], ['::1:0:0']],
    ['::ffff:0:0/96', ['::ffff:0.0.0.0', '::ffff:255.255.255.255'], ['::fffe:ffff:ffff', '::1:0:0:0']],
    ['64:ff9b::/96', ['64:ff9b::', '64:ff9b::ffff:ffff'], ['64:ff9a:ffff::', '64:ff9b::1:0:0']],
    ['64:ff9b:1::/48', ['64:ff9b:1::', '64:ff9b:1:ffff::1'], ['64:ff9b:0:ffff::', '64:ff9b:2::']],
    ['100::/64', ['100::', '100::ffff:ffff:ffff:ffff'], ['ff:ffff::', '100:0:0:1::']],
    ['2001::/23', ['2001::', '2001:1ff:ffff::'], ['2000:ffff::', '2001:200::']],
    ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::'], ['2001:db7:ffff::', '2001:db9::']],
    ['2002::/16', ['2002::', '2002:ffff::'], ['2001:ffff::', '2003::']],
    ['3fff::/20', ['3fff::', '3fff:fff:ffff::'], ['3ffe:ffff::', '3fff:1000::']],
    ['5f00::/16', ['5f00::', '5f00:ffff::'], ['5eff:ffff::', '5f01::']],
    ['fc00::/7', ['fc00::', 'fdff:ffff::'], ['fbff:ffff::', 'fe00::']],
    ['fe80::/10', ['fe80::', 'febf:ffff::', 'fe80::1%eth0'], ['fe7f:ffff::']],
    ['fec0::/10', ['fec0::', 'feff:ffff::'], []],
    ['ff00::/8', ['ff00::', 'ff02::1', 'ffff:ffff::'], []],
  ])('is one in %s, and none beside it', (_block, inside, outside) => {
    expect(inside.filter((address) => !isSpecialAddress(address))).toEqual([])
    expect(outside.filter(isSpecialAddress)).toEqual([])
  })

  it.each(['8.8.8.8', '1.1.1.1', '93.184.215.14', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
    'is not a public server: %s',
    (address) => expect(isSpecialAddress(address)).toBe(false),
  )

  // RFC 4291 §2.5.5.2, RFC 6052: they lead to an IPv4 address that nobody looks at.
  it.each([
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:10.0.0.1',
    '::FFFF:169.254.169.254',
    '::ffff:8.8.8.8',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b::8.8.8.8',
  ])('is an IPv4 address in IPv6 form: %s', (address) => expect(isSpecialAddress(address)).toBe(true))

  it.each([
    '',
    'localhost',
    'example.test',
    '8.8.8',
    '8.8.8.8.',
    '2130706433',
    '0x7f000001',
    '[::1]',
    ' 8.8.8.8',
  ])('is whatever is no address: "%s"', (name) => expect(isSpecialAddress(name)).toBe(true))
})

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
  const fetch = openOutbound(strict)

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
  const fetch = openOutbound({ allowPrivate: false, allowHosts: ['localhost'] })

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
    const response = await openOutbound({ allowPrivate: false, allowHosts: [address] })(literal)
    expect(await response.text()).toBe('here')
  })
})

describe('with private addresses allowed', () => {
  const fetch = openOutbound({ allowPrivate: true, allowHosts: [] })

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
