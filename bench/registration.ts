import type { Stream } from './load.ts'
import { parameters } from './parameters.ts'
import type { Target } from './target.ts'

/** Clients that register themselves (RFC 7591). */
export function registrationStream({ issuer, endpoints }: Target): Stream {
  const body = JSON.stringify({
    client_name: 'Bench',
    redirect_uris: ['http://127.0.0.1:9999/callback'],
    token_endpoint_auth_method: 'none',
  })
  const { host, pathname } = new URL(endpoints.registration_endpoint)
  const request = Buffer.from(
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  return {
    origin: issuer,
    connections: parameters.connections,
    next: () => request,
    expected: { status: 201, text: 'registration_access_token' },
  }
}
