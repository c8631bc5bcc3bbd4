/** A host that is written plainly: letters, digits, dots and dashes, a port, an IPv6 address in its brackets. */
const plainHost = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/** Whether an address has such a host, or none at all. */
export const hasPlainHost = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.host === '' || plainHost.test(url.host))
}

/**
 * An address as a source of a Content-Security-Policy (CSP3 §2.3.1): its origin, or its scheme where it has none.
 * `undefined` where it is no address, or its host would end the directive or mean something in it.
 */
export function policySource(address: string): string | undefined {
  const url = URL.parse(address)
  if (url === null || !hasPlainHost(address)) return undefined
  return url.origin === 'null' ? url.protocol : url.origin
}
