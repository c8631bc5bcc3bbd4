/**
 * An application at the other side: registered, built on `openid-client`, and a person who walks through the pages.
 *
 *     const shop = await relyingParty(latchkey, { name: 'Shop', firstParty: true })
 *     const tokens = await shop.signIn(newVisitor(), ada)
 *     tokens.claims()
 */
import * as openid from 'openid-client'
import type { CreatedClient, RunningLatchkey } from './latchkey.ts'
import { formsOf, type Page, type Visitor } from './visitor.ts'

export const callbackUrl = 'http://localhost:9999/callback'

export interface Credentials {
  readonly email: string
  readonly password: string
}

export interface SentRequest {
  readonly url: string
  readonly verifier: string
  readonly state: string
  readonly nonce: string
}

export type Tokens = Awaited<ReturnType<typeof openid.authorizationCodeGrant>>
type Parameters = Readonly<Record<string, string>>

export interface RelyingParty {
  readonly client: CreatedClient
  readonly configuration: openid.Configuration
  /** An authorization request with PKCE, state and nonce; `parameters` are added or replace. */
  request(parameters?: Parameters): Promise<SentRequest>
  /** Checks the response and exchanges its code. Throws what `openid-client` throws. */
  redeem(request: SentRequest, location: string | undefined, options?: openid.DPoPOptions): Promise<Tokens>
  /** The whole way: signs in where asked, allows what is asked, exchanges the code. */
  signIn(visitor: Visitor, person: Credentials, parameters?: Parameters): Promise<Tokens>
}

/** Registers a web application, or what `input` says; it proves itself by its secret, where nothing else is said. */
export async function relyingParty(
  latchkey: RunningLatchkey,
  input: Readonly<Record<string, unknown>> = {},
  proof?: openid.ClientAuth,
): Promise<RelyingParty> {
  const client = await latchkey.createClient({
    kind: 'web',
    name: 'Shop',
    redirectUris: [callbackUrl],
    ...input,
  })
  const authentication =
    proof ?? (client.secret === '' ? openid.None() : openid.ClientSecretBasic(client.secret))
  const [redirectUri = callbackUrl] = (input.redirectUris as string[] | undefined) ?? []
  const algorithm = typeof input.idTokenAlgorithm === 'string' ? input.idTokenAlgorithm : 'RS256'
  const configuration = await discover(latchkey.issuer, client.id, authentication, {
    id_token_signed_response_alg: algorithm,
  })

  const party: RelyingParty = {
    client,
    configuration,
    async request(parameters = {}) {
      const verifier = openid.randomPKCECodeVerifier()
      const sent = {
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: openid.randomState(),
        nonce: openid.randomNonce(),
        ...parameters,
      }
      return {
        url: openid.buildAuthorizationUrl(configuration, sent).href,
        verifier,
        state: sent.state,
        nonce: sent.nonce,
      }
    },
    redeem: ({ verifier, state, nonce }, location = '', options = {}) =>
      openid.authorizationCodeGrant(
        configuration,
        new URL(location),
        { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
        undefined,
        options,
      ),
    async signIn(visitor, person, parameters) {
      const request = await party.request(parameters)
      return await party.redeem(request, await walkThrough(visitor, request.url, person))
    },
  }
  return party
}

/** The relying party's view of the server, on plain http to this machine. */
export const discover = (
  issuer: string,
  clientId: string,
  authentication?: openid.ClientAuth,
  metadata: Partial<openid.ClientMetadata> = {},
): Promise<openid.Configuration> =>
  openid.discovery(new URL(issuer), clientId, metadata, authentication, {
    execute: [openid.allowInsecureRequests],
  })

/** Answers every page on the way as a person who allows everything; the address outside to which the browser is sent. */
export async function walkThrough(
  visitor: Visitor,
  url: string,
  { email, password }: Credentials,
): Promise<string> {
  let page = await visitor.follow(await visitor.get(url))
  for (let pages = 0; page.location === undefined; pages += 1) {
    if (pages === 4 || formsOf(page).length === 0)
      throw new Error(`Stuck at ${page.url} (${page.status}): ${page.text.slice(0, 800)}`)
    page = await visitor.follow(await answer(visitor, page, { identifier: email, password }))
  }
  return page.location
}

const answer = (visitor: Visitor, page: Page, credentials: Parameters): Promise<Page> =>
  isConsent(page)
    ? visitor.submit(page, {}, { action: '/consent' })
    : visitor.submit(page, credentials, { action: '/password' })

export const isConsent = (page: Page): boolean =>
  formsOf(page).some(({ action }) => action.endsWith('/consent'))
export const isSignIn = (page: Page): boolean =>
  formsOf(page).some(({ action }) => action.endsWith('/password'))

/** The parameters with which the browser came back to the application. */
export const answered = (location: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(new URL(location ?? '').searchParams)
