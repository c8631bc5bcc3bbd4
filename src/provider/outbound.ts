import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Agent, RequestInit } from 'undici'
import { AppError } from '../kernel/errors.ts'

export interface OutboundOptions {
  readonly allowPrivate: boolean
  readonly allowHosts: readonly string[]
}

const timeoutMilliseconds = 5_000
export const maximumBodyBytes = 64 * 1024

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
const translatedIpv4 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/**
 * Whether an IP address (not a name) is anything but a public server's. Public is what is left of the unicast addresses
 * when every block of the special-purpose registries of IANA (RFC 6890) is taken out, those of shared services that have a
 * public address included; of IPv6 nothing outside of what is given out at all (RFC 4291 §2.4). Of the addresses that hold
 * one of IPv4 only those count that networks without IPv4 reach it by (RFC 6052), as that one does.
 */
export function isSpecialAddress(address: string): boolean {
  // One spelling that the library reads and the system does not is none. A zone is of one machine alone (RFC 4007).
  if (isIP(address) === 0 || address.includes('%') || !ipaddr.isValid(address)) return true
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return isSpecialIpv4(parsed)
  if (parsed.match(translatedIpv4)) return isSpecialIpv4(new ipaddr.IPv4(parsed.toByteArray().slice(-4)))
  return !parsed.match(globalUnicast) || parsed.range() !== 'unicast'
}

const isSpecialIpv4 = (address: ipaddr.IPv4): boolean => address.range() !== 'unicast'

export type OutboundFetch = (
  input: string | URL | Request,
  init?: globalThis.RequestInit,
) => Promise<Response>

/** The one way out; opened once and handed to all who fetch. */
export interface Outbound {
  readonly fetch: OutboundFetch
  /** Breaks off what is under way; nothing is fetched any more. */
  close(): Promise<void>
}

type Allows = (host: string, address: string) => boolean

/**
 * The one way in which the server fetches what others name: the address that is connected to is checked, not the name
 * that was asked for; redirects are not followed, and an error unless the caller
 * looks at them (`manual`); five seconds, 64 KB. Throws `outbound.insecure` and
 * `outbound.special_address` (502), and `outbound.closed` (503); reading a larger body rejects.
 */
export function openOutbound({ allowPrivate, allowHosts }: OutboundOptions): Outbound {
  const allows: Allows = (host, address) =>
    allowPrivate || allowHosts.includes(host) || !isSpecialAddress(address)
  const allowsPlain = (host: string): boolean => allowPrivate || allowHosts.includes(host)
  let closed = false
  // Loaded with the first fetch, as most servers never make one and it takes some megabytes.
  let opened: Promise<Dispatching> | undefined

  return {
    async fetch(input, init = {}) {
      const url = new URL(input instanceof Request ? input.url : input)
      const host = url.hostname.replace(/^\[|\]$/g, '')
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowsPlain(host)))
        throw new AppError('outbound.insecure', 502, 'Only https addresses are fetched.')
      // A literal address is connected to without a look-up.
      if (isIP(host) !== 0 && !allows(host, host))
        throw new AppError(
          'outbound.special_address',
          502,
          'No public server is at a special-use address. Give another one.',
        )
      if (closed) throw new AppError('outbound.closed', 503, 'The server is stopping. Try again in a moment.')
      opened ??= openDispatcher(allows).catch((cause: unknown) => {
        opened = undefined
        throw cause
      })
      const { undici, dispatcher } = await opened
      const redirect = init.redirect === 'manual' ? 'manual' : 'error'
      const options = { ...limited(init), dispatcher, redirect }
      return bounded((await undici.fetch(url, options as unknown as RequestInit)) as unknown as Response)
    },
    async close() {
      closed = true
      await (await opened)?.dispatcher.destroy()
    },
  }
}

function limited(init: globalThis.RequestInit): globalThis.RequestInit {
  const timeout = AbortSignal.timeout(timeoutMilliseconds)
  const headers = new Headers(init.headers)
  headers.set('accept-encoding', 'identity')
  return {
    ...init,
    headers: Object.fromEntries(headers),
    signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
  }
}

/** The same answer, of which no more can be read: a body that was compressed unasked is thousands of times what came in. */
function bounded(response: Response): Response {
  if (response.body === null) return response
  let bytes = 0
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > maximumBodyBytes) throw new Error(`The answer is larger than ${maximumBodyBytes} bytes.`)
      controller.enqueue(chunk)
    },
  })
  const { status, statusText, headers } = response
  return new Response(response.body.pipeThrough(counting), { status, statusText, headers })
}

interface Dispatching {
  readonly undici: typeof import('undici')
  readonly dispatcher: Agent
}

async function openDispatcher(allows: Allows): Promise<Dispatching> {
  const undici = await import('undici')
  const connect = { lookup: guardedLookup(allows), timeout: timeoutMilliseconds }
  return { undici, dispatcher: new undici.Agent({ connect, maxResponseSize: maximumBodyBytes }) }
}

/** Of a name with several addresses all must be allowed. */
const guardedLookup =
  (allows: Allows): LookupFunction =>
  (host, options, callback) =>
    systemLookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const refused = found.find(({ address }) => !allows(host, address))
      if (refused !== undefined) return callback(new Error(`${host} resolves to a special-use address`), '')
      const [first] = found
      if (options.all === true) return callback(null, found)
      return callback(null, first?.address ?? '', first?.family)
    })
