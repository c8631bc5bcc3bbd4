import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seconds } from '../support/client-keys.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('user information as a JWT (OpenID Connect Core 1.0 §5.3.2)', () => {
  let latchkey: RunningLatchkey
  let userId: string
  beforeAll(async () => {
    latchkey = await startLatchkey()
    userId = await latchkey.createUser(ada)
  })
  afterAll(() => latchkey.close())

  const ask = (accessToken: string) =>
    fetch(`${latchkey.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } })

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('is signed with %s for the client that asks', async (alg) => {
    const shop = await relyingParty(latchkey, { firstParty: true, userinfoSignedResponseAlg: alg })
    const { access_token: accessToken } = await shop.signIn(newVisitor(), ada)
    const response = await ask(accessToken)
    expect(response.headers.get('content-type')).toContain('application/jwt')
    const keys = createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`))
    const { payload, protectedHeader } = await jwtVerify(await response.text(), keys, {
      issuer: latchkey.issuer,
      audience: shop.client.id,
    })
    expect(protectedHeader.alg).toBe(alg)
    expect(payload).toMatchObject({ sub: userId, email: ada.email, name: ada.name })
    expect(payload.exp).toBeGreaterThan(seconds())
  })

  it('is accepted by oauth4webapi, by the algorithm that it expects alone', async () => {
    const shop = await relyingParty(latchkey, { firstParty: true, userinfoSignedResponseAlg: 'ES256' })
    const { access_token: accessToken } = await shop.signIn(newVisitor(), ada)
    const issuer = new URL(latchkey.issuer)
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { [oauth.allowInsecureRequests]: true }),
    )
    const read = async (alg: string) => {
      const client: oauth.Client = { client_id: shop.client.id, userinfo_signed_response_alg: alg }
      const response = await oauth.userInfoRequest(server, client, accessToken, {
        [oauth.allowInsecureRequests]: true,
      })
      return await oauth.processUserInfoResponse(server, client, userId, response)
    }
    expect((await read('ES256')).email).toBe(ada.email)
    await expect(read('RS256')).rejects.toThrow(/alg/)
  })

  it('is plain JSON for who did not ask for a JWT', async () => {
    const shop = await relyingParty(latchkey, { firstParty: true })
    const { access_token: accessToken } = await shop.signIn(newVisitor(), ada)
    const response = await ask(accessToken)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toMatchObject({ sub: userId, email: ada.email })
  })

  it('is refused as an ID token, an access token or a request', async () => {
    const shop = await relyingParty(latchkey, { firstParty: true, userinfoSignedResponseAlg: 'RS256' })
    const visitor = newVisitor()
    const { access_token: accessToken } = await shop.signIn(visitor, ada)
    const jwt = await (await ask(accessToken)).text()
    expect((await ask(jwt)).status).toBe(401)
    const page = await visitor.get((await shop.request({ request: jwt })).url)
    expect(page.location).toContain('error=invalid_request_object')
  })
})
