/** An Express application that signs people in with Auth.js: `docs/clients/auth-js.md`. */
import { ExpressAuth, type ExpressAuthConfig, getSession } from '@auth/express'
import express from 'express'
import { type ApplicationSettings, listen, type RunningApplication } from './application.ts'

/** Shows who is signed in at `/`; Auth.js has its own pages under `/auth`. */
export async function startAuthJsApplication({
  issuer,
  clientId,
  clientSecret,
  url,
}: ApplicationSettings): Promise<RunningApplication> {
  const config: ExpressAuthConfig = {
    secret: 'long and random, from npx auth secret',
    trustHost: true,
    providers: [
      {
        id: 'latchkey',
        name: 'Latchkey',
        type: 'oidc',
        issuer,
        clientId,
        clientSecret,
        checks: ['pkce', 'state', 'nonce'],
        authorization: { params: { scope: 'openid profile email' } },
        idToken: false,
      },
    ],
  }
  const app = express()
  app.use('/auth', ExpressAuth(config))
  app.get('/', async (request, response) => {
    const session = await getSession(request, config)
    response.send(session?.user ? `signed in as ${session.user.email}` : 'signed out')
  })
  // Auth.js ends its own session only; this goes on to end the issuer's.
  app.get('/leave', (_request, response) => {
    const end = new URL(`${issuer}/session/end`)
    end.searchParams.set('client_id', clientId)
    end.searchParams.set('post_logout_redirect_uri', `${url}/`)
    response.redirect(end.href)
  })
  return await listen(app, url)
}
