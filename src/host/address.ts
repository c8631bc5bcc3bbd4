import { BlockList, isIP } from 'node:net'
import { AppError } from '../kernel/errors.ts'

/** IPv4-mapped IPv6 (::ffff:192.0.2.1) as IPv4, so that one peer has one address. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Throws `host.bad_proxy` for what is neither an address nor a network. */
export function trustedProxies(entries: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList()
  for (const entry of entries) {
    const { network = '', prefix } = /^(?<network>[^/%]+)(?:\/(?<prefix>\d{1,3}))?$/.exec(entry)?.groups ?? {}
    const bits = prefix === undefined ? undefined : Number(prefix)
    const widest = isIP(network) === 6 ? 128 : 32
    if (isIP(network) === 0 || (bits !== undefined && bits > widest)) {
      throw new AppError(
        'host.bad_proxy',
        500,
        `LATCHKEY_HOST_TRUSTED_PROXIES: "${entry}" is not an address or a network such as 10.0.0.0/8.`,
      )
    }
    if (bits === undefined) trusted.addAddress(network, familyOf(network))
    else trusted.addSubnet(network, bits, familyOf(network))
  }
  return (address) => isIP(address) !== 0 && trusted.check(address, familyOf(address))
}

/**
 * Who the request comes from: the peer, or, where the peer is a proxy of ours, the rightmost address that the proxies
 * added themselves. An entry that is no address ends the search; what stands left of it was written by a stranger.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string {
  let address = plainAddress(peer)
  const hops = (forwardedFor ?? '').split(',').map((hop) => plainAddress(hop.trim()))
  while (isTrusted(address)) {
    const hop = hops.pop()
    if (hop === undefined || isIP(hop) === 0) return address
    address = hop
  }
  return address
}
