import { z } from 'zod'
import type { Browser } from './browser.ts'
import { createBrowser, freshState, pkce } from './browser.ts'
import type { Stream } from './load.ts'
import { runLoad } from './load.ts'
import { parameters } from './parameters.ts'
import { basicAuthorization, getRequest } from './requests.ts'
import type { Credentials, Target } from './target.ts'

const tokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
})

export type Tokens = z.infer<typeof tokenAnswer>

export const authorizationUrl = (target: Target): string => openRequest(target, target.web).url

/** An authorization request of a client, and its state, which comes back with the code. */
export function openRequest(target: Target, client: Pick<Credentials, 'id'>) {
  const state = freshState()
  const query = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    redirect_uri: parameters.redirectUri,
    scope: parameters.scope,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    state,
  })
  return { url: `${target.endpoints.authorization_endpoint}?${query}`, state }
}

/**
 * Signs the seeded user in over the hosted form, as a new browser.
 * @throws when it does not end with a code at the redirect URI; the client must be first-party, so that nothing asks for consent
 */
export async function signIn(target: Target): Promise<Browser> {
  const browser = createBrowser()
  await signedInLanding(target, browser, authorizationUrl(target))
  return browser
}

/** Signs the seeded user in by an authorization request, and returns the code that it ended with. */
export async function signedInLanding(target: Target, browser: Browser, url: string): Promise<string> {
  const form = await browser.open(url, parameters.redirectUri)
  if (form.kind !== 'page' || form.page.status !== 200)
    throw new Error(`${target.name}: no sign-in page: ${show(form)}`)
  const landing = await browser.submit(form.page, { ...target.user }, parameters.redirectUri)
  const code = landing.kind === 'left' ? landing.url.searchParams.get('code') : null
  if (code === null) throw new Error(`${target.name}: the sign-in did not end with a code: ${show(landing)}`)
  return code
}

/** An authorization request of each signed-in browser in turn: one request, one code (SSO). */
export function ssoStream(target: Target, browsers: readonly Browser[]): Stream {
  const requests = browsers.map((browser) => {
    const url = authorizationUrl(target)
    return getRequest(url, { cookie: browser.cookiesFor(url) })
  })
  return {
    origin: target.issuer,
    connections: browsers.length,
    next: (connection) => requests[connection],
    expected: { status: 303, text: `ocation: ${parameters.redirectUri}?code=` },
  }
}

/** Collects codes by SSO for `seconds`, which must stay well under their life of 60 s. */
export const mintCodes = (target: Target, browsers: readonly Browser[], seconds: number): Promise<string[]> =>
  collectCodes(target, ssoStream(target, browsers), seconds)

/** The codes that a stream of authorization requests ends with in `seconds`. */
export async function collectCodes(target: Target, stream: Stream, seconds: number): Promise<string[]> {
  const codes: string[] = []
  const answered: Stream['answered'] = ({ head }) => {
    const code = /[?&]code=([^&\r]+)/.exec(head)?.[1]
    if (code !== undefined) codes.push(decodeURIComponent(code))
  }
  const minted = await runLoad({ ...stream, answered }, seconds)
  if (minted.failures > 0) throw new Error(`${target.name}: minting codes failed: ${minted.firstFailure}`)
  return codes
}

export function codeForm(code: string): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: parameters.redirectUri,
    code_verifier: pkce.verifier,
  }
}

/** One set of tokens for each browser, by an SSO authorization and a code exchange. */
export function mintTokens(target: Target, browsers: readonly Browser[]): Promise<Tokens[]> {
  return Promise.all(
    browsers.map(async (browser) => {
      const landing = await browser.open(authorizationUrl(target), parameters.redirectUri)
      const code = landing.kind === 'left' ? landing.url.searchParams.get('code') : null
      if (code === null) throw new Error(`${target.name}: no code for a signed-in browser: ${show(landing)}`)
      return requestTokens(target, 'web', codeForm(code))
    }),
  )
}

/** @throws when the token endpoint answers anything but tokens */
export const requestTokens = (
  target: Target,
  client: 'web' | 'service',
  form: Readonly<Record<string, string>>,
): Promise<Tokens> => tokensOf(target, target[client], form)

/** @throws when the token endpoint answers anything but tokens */
export async function tokensOf(
  target: Target,
  client: Credentials,
  form: Readonly<Record<string, string>>,
): Promise<Tokens> {
  const response = await fetch(target.endpoints.token_endpoint, {
    method: 'POST',
    headers: { authorization: basicAuthorization(client) },
    body: new URLSearchParams(form),
  })
  const body = await response.text()
  if (response.status !== 200)
    throw new Error(`${target.name}: the token endpoint answered ${response.status}: ${body}`)
  return tokenAnswer.parse(JSON.parse(body))
}

function show(landing: Awaited<ReturnType<Browser['open']>>): string {
  return landing.kind === 'left'
    ? landing.url.href
    : `${landing.page.status} ${landing.page.url} ${landing.page.html.replace(/\s+/g, ' ').slice(0, 400)}`
}
