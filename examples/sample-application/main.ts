/**
 * A small relying party: sign in with Latchkey, see the claims, sign out. In development mode the server starts it by
 * itself; by hand it is `npm run example`, with CLIENT_ID and CLIENT_SECRET of a client.
 */
import { fstatSync } from 'node:fs'
import { createServer } from 'node:http'
import { openApplication } from './application.ts'
import { openSignIn } from './sign-in.ts'

const { ISSUER = 'http://localhost:3000', CLIENT_ID, CLIENT_SECRET, PORT = '3001' } = process.env
const url = new URL(`http://localhost:${PORT}/`)

if (CLIENT_ID === undefined || CLIENT_SECRET === undefined) {
  console.error(`CLIENT_ID or CLIENT_SECRET is missing. Register the application, and start it with what is printed:
  npx latchkey clients create --name "My application" --kind web --redirect-uri ${url}callback --post-logout-redirect-uri ${url}
  ISSUER=${ISSUER} CLIENT_ID=… CLIENT_SECRET=… npm run example`)
  process.exit(1)
}

const issuer = new URL(ISSUER)
const signIn = openSignIn({
  issuer,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  redirectUri: new URL('callback', url).href,
  postLogoutRedirectUri: url.href,
})
const server = createServer(openApplication({ url, issuer, signIn }))

server.on('error', ({ message }) => {
  console.error(`The sample application cannot listen on port ${PORT}: ${message}`)
  process.exit(1)
})
server.listen(Number(PORT), 'localhost', () => {
  if (process.send === undefined) console.log(`Sample application: ${url}`)
  else process.send('ready')
})

// Whoever started it with a channel or a pipe takes it along when he ends, however he ends.
const end = (): never => process.exit(0)
if (process.send !== undefined) process.on('disconnect', end)
else if (isPipe(0)) process.stdin.on('end', end).on('error', end).resume()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)

function isPipe(descriptor: number): boolean {
  const input = fstatSync(descriptor)
  return input.isFIFO() || input.isSocket()
}
