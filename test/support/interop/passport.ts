/** An Express application that signs people in with Passport: `docs/clients/passport.md`. */
import express from 'express'
import session from 'express-session'
import * as openid from 'openid-client'
import { Strategy } from 'openid-client/passport'
import passportModule from 'passport'
import { type ApplicationSettings, listen, type RunningApplication } from './application.ts'

declare global {
  namespace Express {
    /** What Passport adds to a request, with what the strategy puts into the person's session. */
    interface Request {
      readonly user?: { readonly sub: string; readonly email?: string; readonly idToken: string }
      logout(done: (error: unknown) => void): void
    }
  }
}

/** Shows who is signed in at `/`; `/login`, `/callback` and `/logout` are the way in and out. */
export async function startPassportApplication({
  issuer,
  clientId,
  clientSecret,
  url,
}: ApplicationSettings): Promise<RunningApplication> {
  const config = await openid.discovery(
    new URL(issuer),
    clientId,
    undefined,
    openid.ClientSecretBasic(clientSecret),
    { execute: issuer.startsWith('http:') ? [openid.allowInsecureRequests] : [] },
  )
  const passport = new passportModule.Passport()
  passport.use(
    new Strategy(
      { name: 'latchkey', config, scope: 'openid profile email', callbackURL: `${url}/callback` },
      (tokens, verified) => {
        const claims = tokens.claims()
        openid
          .fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
          .then(({ sub, email }) => verified(null, { sub, email, idToken: tokens.id_token }), verified)
      },
    ),
  )
  passport.serializeUser((user, done) => done(null, user))
  passport.deserializeUser((stored, done) => done(null, stored))

  const app = express()
  app.use(session({ secret: 'long and random', resave: false, saveUninitialized: false }))
  app.use(passport.session())
  app.get('/login', passport.authenticate('latchkey'))
  app.get('/callback', passport.authenticate('latchkey'), (_request, response) => response.redirect('/'))
  app.get('/logout', (request, response, next) => {
    const { idToken } = request.user ?? { idToken: '' }
    request.logout((error) => {
      if (error) return next(error)
      const end = { id_token_hint: idToken, post_logout_redirect_uri: `${url}/` }
      response.redirect(openid.buildEndSessionUrl(config, end).href)
    })
  })
  app.get('/', (request, response) => {
    response.send(request.user ? `signed in as ${request.user.email}` : 'signed out')
  })
  return await listen(app, url)
}
