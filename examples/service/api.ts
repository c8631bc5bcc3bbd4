/** An API of your own: it answers whoever shows an access token that Latchkey issued for it. */
import { createServer, type IncomingMessage } from 'node:http'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'

const {
  ISSUER = 'http://localhost:3000',
  AUDIENCE = 'https://orders.example.com',
  PORT = '3002',
} = process.env
const keys = createRemoteJWKSet(new URL('/jwks', ISSUER))

/** RFC 9068 §4: an access token, from this issuer, for this API, not expired, signed by one of the issuer's keys. */
async function tokenOf({ headers }: IncomingMessage): Promise<JWTPayload | undefined> {
  const [scheme, token = ''] = (headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer') return undefined
  const expected = {
    issuer: ISSUER,
    audience: AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['ES256', 'RS256', 'EdDSA'],
  }
  return await jwtVerify(token, keys, expected).then(
    ({ payload }) => payload,
    () => undefined,
  )
}

const server = createServer(async (request, response) => {
  const token = await tokenOf(request)
  const scopes = String(token?.scope ?? '').split(' ')
  const answer = (status: number, body: unknown, challenge = '') => {
    if (challenge !== '') response.setHeader('WWW-Authenticate', challenge)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  }
  if (token === undefined) return answer(401, { error: 'invalid_token' }, 'Bearer error="invalid_token"')
  if (!scopes.includes('orders:read')) {
    return answer(
      403,
      { error: 'insufficient_scope' },
      'Bearer error="insufficient_scope", scope="orders:read"',
    )
  }
  answer(200, { orders: [{ number: 1, item: 'A padlock' }], askedBy: token.client_id })
})

server.listen(Number(PORT), 'localhost', () => console.log(`Orders API: http://localhost:${PORT}`))
