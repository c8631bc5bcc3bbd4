import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi'
import { describe, expect, it } from 'vitest'
import { startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

const person = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const redirectUri = 'http://localhost:9999/callback'

describe('authorization code flow', () => {
  it('signs a person in at a first-party application and answers with tokens', async () => {
    await using latchkey = await startLatchkey()
    const userId = await latchkey.createUser(person)
    const client = await latchkey.createClient({
      kind: 'web',
      name: 'Shop',
      redirectUris: [redirectUri],
      firstParty: true,
    })
    const verifier = generateRandomCodeVerifier()
    const query = new URLSearchParams({
      client_id: client.id,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid profile email',
      state: 'a state',
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const visitor = newVisitor()
    const form = await visitor.follow(await visitor.get(`${latchkey.issuer}/auth?${query}`))
    expect(form.text).toContain('Sign in to Shop')
    const answer = await visitor.follow(
      await visitor.submit(
        form,
        { identifier: person.email, password: person.password },
        { action: '/password' },
      ),
    )
    const callback = new URL(answer.location ?? '')
    expect(callback.origin + callback.pathname).toBe(redirectUri)
    expect(callback.searchParams.get('state')).toBe('a state')

    const response = await fetch(`${latchkey.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    })
    const tokens = (await response.json()) as Record<string, string>
    expect(tokens).toMatchObject({ token_type: 'Bearer' })
    const claims = JSON.parse(
      Buffer.from(tokens.id_token?.split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, unknown>
    expect(claims).toMatchObject({
      sub: userId,
      amr: ['pwd'],
      acr: 'urn:latchkey:acr:single-factor',
      aud: client.id,
    })
    const userinfo = await fetch(`${latchkey.issuer}/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(await userinfo.json()).toMatchObject({ sub: userId, email: person.email, name: person.name })
  })
})
