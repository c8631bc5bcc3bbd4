/**
 * All that an application needs for signing people in with OpenID Connect: the part to copy. It knows nothing of HTTP
 * servers or sessions; what it gives out as `Pending` is to be kept in the person's session until he comes back.
 */
import * as openid from 'openid-client'

export interface SignInSettings {
  readonly issuer: URL
  readonly clientId: string
  readonly clientSecret: string
  /** Where the issuer sends the person back to; registered with the client, character by character. */
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
}

/** A sign-in that was begun: what its answer has to fit. */
export interface Pending {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Milliseconds since 1970; set when the person has to sign in anew after this moment. */
  readonly freshSince?: number
}

export interface SignedIn {
  /** As it came, for signing out. */
  readonly idToken: string
  readonly claims: openid.IDToken
  readonly userinfo: openid.UserInfoResponse
}

export interface SignIn {
  /** With `fresh`, the person gives his password again even if he is signed in at the issuer. */
  begin(options: { readonly fresh: boolean }): Promise<{ readonly url: URL; readonly pending: Pending }>
  /** Throws `openid.AuthorizationResponseError` when the issuer answered with an error, `access_denied` among them. */
  finish(callbackUrl: URL, pending: Pending): Promise<SignedIn>
  /** Where to send a person who signs out (OpenID Connect RP-Initiated Logout 1.0 §2). */
  endUrl(idToken: string): Promise<URL>
}

const scope = 'openid profile email'

export function openSignIn(settings: SignInSettings): SignIn {
  const { redirectUri, postLogoutRedirectUri } = settings
  const configuration = configurationOf(settings)

  return {
    async begin({ fresh }) {
      const pending: Pending = {
        state: openid.randomState(),
        nonce: openid.randomNonce(),
        codeVerifier: openid.randomPKCECodeVerifier(),
        ...(fresh && { freshSince: Date.now() }),
      }
      const url = openid.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
        ...(fresh && { max_age: '0' }),
      })
      return { url, pending }
    },

    async finish(callbackUrl, { state, nonce, codeVerifier, freshSince }) {
      const found = await configuration()
      const tokens = await openid.authorizationCodeGrant(found, callbackUrl, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
        // The address bar is the person's, so what was asked in it counts only when the ID token confirms it.
        ...(freshSince !== undefined && { maxAge: Math.ceil((Date.now() - freshSince) / 1000) }),
      })
      const { id_token: idToken, access_token: accessToken } = tokens
      const claims = tokens.claims()
      if (idToken === undefined || claims === undefined) throw new Error('The answer has no ID token.')
      return { idToken, claims, userinfo: await openid.fetchUserInfo(found, accessToken, claims.sub) }
    },

    async endUrl(idToken) {
      return openid.buildEndSessionUrl(await configuration(), {
        id_token_hint: idToken,
        post_logout_redirect_uri: postLogoutRedirectUri,
        state: 'signed-out',
      })
    },
  }
}

/** Finds out at the first use where the issuer's endpoints are, and asks again when it did not answer. */
function configurationOf({
  issuer,
  clientId,
  clientSecret,
}: SignInSettings): () => Promise<openid.Configuration> {
  // Without TLS is for trying out on one machine.
  const options = issuer.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {}
  let found: Promise<openid.Configuration> | undefined
  return () => {
    found ??= openid
      .discovery(issuer, clientId, undefined, openid.ClientSecretBasic(clientSecret), options)
      .catch((error: unknown) => {
        found = undefined
        throw error
      })
    return found
  }
}
