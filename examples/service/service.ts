/** A service: it gets a token for itself (RFC 6749 §4.4) and calls the API with it. */
import * as openid from 'openid-client'

const {
  ISSUER = 'http://localhost:3000',
  CLIENT_ID = 'order-report',
  CLIENT_SECRET = '',
  AUDIENCE = 'https://orders.example.com',
  API = 'http://localhost:3002',
} = process.env

const issuer = new URL(ISSUER)
// Without TLS is for trying out on one machine.
const options = issuer.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {}
const authentication = openid.ClientSecretBasic(CLIENT_SECRET)
const configuration = await openid.discovery(issuer, CLIENT_ID, undefined, authentication, options)

// RFC 8707: `resource` names the API, and the token is good there alone. It is worth keeping until it expires.
const token = await openid.clientCredentialsGrant(configuration, { resource: AUDIENCE, scope: 'orders:read' })
console.log(`A ${token.token_type} token for ${AUDIENCE}, valid for ${token.expires_in} seconds.`)

const response = await fetch(API, { headers: { authorization: `Bearer ${token.access_token}` } })
console.log(response.status, await response.json())
if (!response.ok) process.exitCode = 1
