import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { Agent, RequestInit } from 'undici'
import { AppError } from '../kernel/errors.ts'

export interface OutboundOptions {
  readonly allowPrivate: boolean
  readonly allowHosts: readonly string[]
}

const timeoutMilliseconds = 5_000
export const maximumBodyBytes = 64 * 1024

type Family = 'ipv4' | 'ipv6'

/**
 * The address blocks that are nobody's public server: RFC 6890, RFC 6598, RFC 3927, RFC 4193, RFC 4291, RFC 6052,
 * RFC 9602, RFC 9637.
 */
const specialBlocks: readonly (readonly [string, number, Family])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['::', 96, 'ipv6'],
  ['::ffff:0:0', 96, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
  ['5f00::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

function blockList(wanted: Family): BlockList {
  const list = new BlockList()
  for (const [network, prefix, family] of specialBlocks) {
    if (family === wanted) list.addSubnet(network, prefix, family)
  }
  return list
}

// One for each family: in a list of both, every IPv4 address counts as its IPv4-mapped IPv6 form, which is refused.
const special = { ipv4: blockList('ipv4'), ipv6: blockList('ipv6') }

/** Whether an IP address (not a name) is private, loopback, link-local or otherwise not a public server's. */
export function isSpecialAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0) return true
  const family: Family = version === 6 ? 'ipv6' : 'ipv4'
  return special[family].check(address, family)
}

export type OutboundFetch = (
  input: string | URL | Request,
  init?: globalThis.RequestInit,
) => Promise<Response>

/**
 * The one way in which the server fetches what others name: the address that is connected to is checked, not the name
 * that was asked for; redirects are not followed; five seconds.
 */
export function openOutbound({ allowPrivate, allowHosts }: OutboundOptions): OutboundFetch {
  const allowed = (host: string, address: string): boolean =>
    allowPrivate || allowHosts.includes(host) || !isSpecialAddress(address)

  const lookup: LookupFunction = (host, options, callback) => {
    systemLookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const refused = found.find(({ address }) => !allowed(host, address))
      if (refused !== undefined) return callback(new Error(`${host} resolves to a special-use address`), '')
      const [first] = found
      if (options.all === true) return callback(null, found)
      return callback(null, first?.address ?? '', first?.family)
    })
  }
  // Loaded with the first fetch, as most servers never make one and it takes some megabytes.
  let opened: Promise<{ readonly undici: typeof import('undici'); readonly dispatcher: Agent }> | undefined
  const open = async () => {
    const undici = await import('undici')
    const connect = { lookup, timeout: timeoutMilliseconds }
    return { undici, dispatcher: new undici.Agent({ connect, maxResponseSize: maximumBodyBytes }) }
  }

  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (
      url.protocol !== 'https:' &&
      !(url.protocol === 'http:' && (allowPrivate || allowHosts.includes(host)))
    ) {
      throw new AppError('outbound.insecure', 502, 'Only https addresses are fetched.')
    }
    // A literal address is connected to without a look-up.
    if (isIP(host) !== 0 && !allowed(host, host)) {
      throw new AppError('outbound.special_address', 502, 'This address is private, loopback or link-local.')
    }
    opened ??= open()
    const { undici, dispatcher } = await opened
    const options = {
      ...init,
      dispatcher,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMilliseconds),
    }
    return (await undici.fetch(url, options as unknown as RequestInit)) as unknown as Response
  }
}
