import { createBrowser, pkce } from './browser.ts'
import { codeForm, signedInLanding, tokensOf } from './flows.ts'
import type { Stream } from './load.ts'
import { parameters } from './parameters.ts'
import { basicAuthorization, postRequest } from './requests.ts'
import type { Credentials, Target } from './target.ts'

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const api = parameters.apis.es256

/** A JWT access token of a person, exchanged for another one that tells who acts (RFC 8693). */
export async function tokenExchanges(target: Target): Promise<Stream> {
  const { issuer, endpoints, exchanger } = target
  if (exchanger === undefined) throw new Error(`${target.name} exchanges no tokens`)
  const post = postRequest(endpoints.token_endpoint, { authorization: basicAuthorization(exchanger) })
  const request = post({
    grant_type: exchangeGrant,
    subject_token: await subjectToken(target, exchanger),
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: api,
  })
  return {
    origin: issuer,
    connections: parameters.connections,
    next: () => request,
    expected: { status: 200, text: '"issued_token_type":' },
  }
}

/** An access token of the seeded person for the API. */
async function subjectToken(target: Target, exchanger: Credentials): Promise<string> {
  const request = new URLSearchParams({
    client_id: exchanger.id,
    response_type: 'code',
    redirect_uri: parameters.redirectUri,
    scope: `openid ${parameters.apiScope}`,
    resource: api,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
  })
  const url = `${target.endpoints.authorization_endpoint}?${request}`
  const code = await signedInLanding(target, createBrowser(), url)
  return (await tokensOf(target, exchanger, { ...codeForm(code), resource: api })).access_token
}
