/** Libraries from npm: the two that speak the protocol alone, and two that bring a way to put it into an application. */
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import type { ApplicationSettings, RunningApplication } from '../../test/support/interop/application.ts'
import { startAuthJsApplication } from '../../test/support/interop/auth-js.ts'
import { startPassportApplication } from '../../test/support/interop/passport.ts'
import { walkThrough } from '../../test/support/relying-party.ts'
import { newVisitor, type Page, type Visitor } from '../../test/support/visitor.ts'
import { freePort } from '../child.ts'
import { type Ground, leaveIssuer, person, same, throughIssuer } from './ground.ts'
import { packages } from './programs.ts'

async function register(ground: Ground, callback: string): Promise<ApplicationSettings> {
  const url = `http://localhost:${await freePort()}`
  const { id, secret } = await ground.createClient(
    ...['--name', 'Application', '--kind', 'web', '--first-party'],
    ...['--redirect-uri', `${url}${callback}`, '--post-logout-redirect-uri', `${url}/`],
  )
  return { issuer: ground.issuer, clientId: id, clientSecret: secret, url }
}

export async function openidClient(ground: Ground): Promise<string> {
  const { issuer, clientId, clientSecret, url } = await register(ground, '/callback')
  const authentication = openid.ClientSecretBasic(clientSecret)
  const config = await openid.discovery(new URL(issuer), clientId, undefined, authentication, {
    execute: [openid.allowInsecureRequests],
  })
  const codeVerifier = openid.randomPKCECodeVerifier()
  const state = openid.randomState()
  const begin = openid.buildAuthorizationUrl(config, {
    redirect_uri: `${url}/callback`,
    scope: 'openid profile email',
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
  })
  const visitor = newVisitor()
  const back = new URL(await walkThrough(visitor, begin.href, person))
  const tokens = await openid.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
  })
  const { email } = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '')
  same('email', email, person.email)
  const end = openid.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: `${url}/`,
  })
  same('after signing out', await leave(visitor, end.href), `${url}/`)
  return packages('openid-client')
}

const leave = (visitor: Visitor, location: string): Promise<string | undefined> =>
  leaveIssuer(visitor, { location } as Page)

export async function oauth4webapi(ground: Ground): Promise<string> {
  const { issuer, clientId, clientSecret, url } = await register(ground, '/callback')
  const insecure = { [oauth.allowInsecureRequests]: true }
  const where = new URL(issuer)
  const as = await oauth.processDiscoveryResponse(where, await oauth.discoveryRequest(where, insecure))
  const client: oauth.Client = { client_id: clientId }
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const begin = new URL(as.authorization_endpoint ?? '')
  begin.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: `${url}/callback`,
    response_type: 'code',
    scope: 'openid profile email',
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
  }).toString()
  const visitor = newVisitor()
  const back = new URL(await walkThrough(visitor, begin.href, person))
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    oauth.ClientSecretBasic(clientSecret),
    oauth.validateAuthResponse(as, client, back, state),
    `${url}/callback`,
    codeVerifier,
    insecure,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { requireIdToken: true })
  const { sub } = oauth.getValidatedIdTokenClaims(tokens) ?? { sub: '' }
  const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, insecure)
  const { email } = await oauth.processUserInfoResponse(as, client, sub, userinfo)
  same('email', email, person.email)
  const end = new URL(as.end_session_endpoint ?? '')
  end.searchParams.set('id_token_hint', tokens.id_token ?? '')
  end.searchParams.set('post_logout_redirect_uri', `${url}/`)
  same('after signing out', await leave(visitor, end.href), `${url}/`)
  return packages('oauth4webapi')
}

export async function passport(ground: Ground): Promise<string> {
  await using application = await startPassportApplication(await register(ground, '/callback'))
  const visitor = newVisitor()
  const home = await throughIssuer(visitor, await visitor.get(`${application.url}/login`))
  same('the page', home.text, `signed in as ${person.email}`)
  await signedOut(application, visitor, await visitor.get(`${application.url}/logout`))
  return packages('passport', 'openid-client', 'express')
}

export async function authJs(ground: Ground): Promise<string> {
  await using application = await startAuthJsApplication(await register(ground, '/auth/callback/latchkey'))
  const visitor = newVisitor()
  const choices = await visitor.get(`${application.url}/auth/signin`)
  const begun = await visitor.submit(choices, {}, { action: '/signin/latchkey' })
  same('the page', (await throughIssuer(visitor, begun)).text, `signed in as ${person.email}`)
  const question = await visitor.get(`${application.url}/auth/signout`)
  const leaving = await visitor.submit(question, { callbackUrl: `${application.url}/leave` })
  await signedOut(application, visitor, await visitor.follow(leaving))
  return packages('@auth/express', '@auth/express/node_modules/@auth/core', 'express')
}

async function signedOut({ url }: RunningApplication, visitor: Visitor, leaving: Page): Promise<void> {
  same('after signing out', await leaveIssuer(visitor, leaving), `${url}/`)
  same('the page', (await visitor.get(`${url}/`)).text, 'signed out')
}
