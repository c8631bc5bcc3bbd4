import ipaddr from 'ipaddr.js'

/**
 * What one person is likely to have of an address: all of an IPv4 one, the first 64 bits of an IPv6 one (RFC 6177 §2).
 * IPv4 written as IPv6 (RFC 4291 §2.5.5.2) counts as what it is; an unreadable address counts as it stands.
 */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString()
  const network = parsed.parts.slice(0, 4).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}
