import { describe, expect, it } from 'vitest'
import { clientAddress, trustedProxies } from '../../src/host/address.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { exchange } from '../support/wire.ts'

describe('the address of a client', () => {
  const isTrusted = trustedProxies(['10.0.0.0/8', '192.0.2.7', '2001:db8:1::/48', '::1'])
  const nobody = trustedProxies([])

  it.each([
    ['the peer, where it is no proxy', '198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['what the proxy added', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['what the outermost proxy added', '10.0.0.1', '203.0.113.9, 10.0.0.2', '203.0.113.9'],
    [
      'the rightmost stranger, whatever he wrote before himself',
      '10.0.0.1',
      '1.1.1.1, 10.9.9.9, 203.0.113.9',
      '203.0.113.9',
    ],
    ['the proxy, where it says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['the last proxy, where all are proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['the proxy, where the entry is no address', '10.0.0.1', '203.0.113.9, unknown', '10.0.0.1'],
    [
      'the proxy that added rubbish, skipping nothing',
      '10.0.0.1',
      '203.0.113.9, rubbish, 10.0.0.2',
      '10.0.0.2',
    ],
    ['the proxy, where the entry has a port', '10.0.0.1', '203.0.113.9:4711', '10.0.0.1'],
    ['the proxy, where the entry is empty', '10.0.0.1', '203.0.113.9,', '10.0.0.1'],
    ['IPv4 where the peer is mapped to IPv6', '::ffff:198.51.100.1', undefined, '198.51.100.1'],
    ['what a proxy added that is mapped to IPv6', '::ffff:10.0.0.1', '::FFFF:203.0.113.9', '203.0.113.9'],
    ['IPv6 behind a proxy on IPv6', '2001:db8:1::1', '2001:db8:2::2', '2001:db8:2::2'],
    ['a stranger of the next network', '2001:db8:2::1', '203.0.113.9', '2001:db8:2::1'],
    ['a stranger next to a single trusted address', '192.0.2.8', '203.0.113.9', '192.0.2.8'],
  ])('is %s', (_what, peer, forwarded, expected) => {
    expect(clientAddress(peer, forwarded, isTrusted)).toBe(expected)
  })

  it('is the peer, whatever is forwarded, where no proxy is configured', () => {
    expect(clientAddress('127.0.0.1', '203.0.113.9', nobody)).toBe('127.0.0.1')
    expect(clientAddress('::1', '203.0.113.9', nobody)).toBe('::1')
  })

  it.each([
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/ 8',
    '10.0.0.0/-1',
    '10.0.0.0/1e1',
    '2001:db8::/129',
    '/8',
    '*',
    '10.0.0',
  ])('refuses %s as a proxy and names it', (entry) => {
    expect(() => trustedProxies(['192.0.2.1', entry])).toThrow(`"${entry}" is not an address or a network`)
  })

  it.each([
    ['a stranger', {}, false],
    ['a trusted proxy', { LATCHKEY_HOST_TRUSTED_PROXIES: '127.0.0.1, ::1' }, true],
  ])(
    'of a request that %s forwards is logged, and so is its request id',
    async (_who, environment, believed) => {
      await using latchkey = await startLatchkey({ environment })
      const send = (headers: readonly (readonly [string, string])[]) =>
        exchange(latchkey.server.port, {
          target: '/health/live',
          host: new URL(latchkey.issuer).host,
          headers: [...headers, ['X-Forwarded-For', '6.6.6.6, 203.0.113.9']],
        })
      const lines = () =>
        latchkey.logged
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter(({ message }) => message === 'request')

      const answer = await send([['X-Request-Id', 'of-the-proxy.1']])
      const id = answer.headers.get('x-request-id')
      expect(id === 'of-the-proxy.1').toBe(believed)
      expect(lines().at(-1)).toMatchObject({ requestId: id, path: '/health/live', status: 200 })
      expect(lines().at(-1)?.address === '203.0.113.9').toBe(believed)
      expect(['127.0.0.1', '::1', '203.0.113.9']).toContain(lines().at(-1)?.address)

      for (const junk of [
        'short',
        'x'.repeat(65),
        'has space in it',
        'a"quote-and-more',
        'é-é-é-é-é-é',
        '<script>alert</script>',
      ]) {
        const made = (await send([['X-Request-Id', junk]])).headers.get('x-request-id')
        expect(made, junk).toMatch(/^[\w-]{12,}$/)
        expect(made).not.toBe(junk)
      }
      const ids = await Promise.all(
        Array.from({ length: 20 }, async () => (await send([])).headers.get('x-request-id')),
      )
      expect(new Set(ids).size).toBe(20)
    },
  )
})
