import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { policySchema } from '../../src/features/client-registrations/policy.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import { times } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const callback = 'https://app.example.com/callback'
const asked = { client_name: 'Agent', redirect_uris: [callback], token_endpoint_auth_method: 'none' }
const open = { LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open', LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '100000' }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function post(issuer: string, body: unknown, token?: string): Promise<Answer> {
  const response = await fetch(`${issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

const tokenFor = async (latchkey: RunningLatchkey, policy: object, uses?: number): Promise<string> =>
  (
    await latchkey.app.features.clientRegistrations.tokens.create({
      uses,
      expiresInDays: 1,
      policy: policySchema.parse(policy),
    })
  ).token

describe('a server that wants an initial access token', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { ...open, LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'token' } })
  })
  afterAll(() => latchkey?.close())

  it('refuses who has none, another one or a revoked one', async () => {
    expect(await post(latchkey.issuer, asked)).toMatchObject({
      status: 401,
      body: { error: 'invalid_token' },
    })
    expect((await post(latchkey.issuer, asked, 'x'.repeat(43))).status).toBe(401)
    const { tokens } = latchkey.app.features.clientRegistrations
    const { item, token } = await tokens.create({ expiresInDays: 1, policy: policySchema.parse({}) })
    await tokens.revoke(item.id)
    expect((await post(latchkey.issuer, asked, token)).status).toBe(401)
  })

  it('lets one of twenty in who come at once with a token for one', async () => {
    const token = await tokenFor(latchkey, {}, 1)
    const answers = await times(20, () => post(latchkey.issuer, asked, token))
    expect(answers.map(({ status }) => status).sort()).toEqual([
      201,
      ...Array.from({ length: 19 }, () => 401),
    ])
  })

  it('keeps to the policy of the token', async () => {
    const token = await tokenFor(latchkey, {
      kinds: ['spa'],
      scopes: ['openid'],
      redirectHosts: ['*.example.com'],
      forced: { requirePushedAuthorizationRequests: true },
    })
    const good = await post(latchkey.issuer, asked, token)
    expect(good.body).toMatchObject({ scope: 'openid', require_pushed_authorization_requests: true })
    const elsewhere = { ...asked, redirect_uris: ['https://example.com.evil.example/cb'] }
    expect((await post(latchkey.issuer, elsewhere, token)).body.error).toBe('invalid_redirect_uri')
    const web = { ...asked, token_endpoint_auth_method: 'client_secret_basic' }
    expect((await post(latchkey.issuer, web, token)).body.error).toBe('invalid_client_metadata')
  })

  it('knows no policy that makes a client first-party', () => {
    expect(policySchema.safeParse({ forced: { firstParty: true } }).success).toBe(false)
  })

  it('waits for an administrator where the policy says so', async () => {
    const token = await tokenFor(latchkey, { approval: true })
    const { body } = await post(latchkey.issuer, asked, token)
    const ask = () =>
      fetch(
        `${latchkey.issuer}/auth?client_id=${String(body.client_id)}&response_type=code&redirect_uri=${callback}&scope=openid`,
        { redirect: 'manual' },
      )
    expect((await ask()).status).toBe(400)
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(String(body.client_id))
    if (item === undefined) throw new Error('the client is not listed')
    await resource.actions.find(({ name }) => name === 'enable')?.run(item, {}, commandLineActor)
    expect((await ask()).status).toBe(303)
  })

  it('believes a software statement of an issuer that the policy names, and lets it win', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const issuer = 'https://statements.example.com'
    const { resource } = latchkey.app.features.trustedIssuers
    const fields = {
      issuer,
      name: 'Statements',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] },
    }
    await resource.create(accept(parseCreate(resource.fields, fields)), commandLineActor)
    const sign = (aud: string) =>
      new SignJWT({ client_name: 'Stated', redirect_uris: ['https://stated.example.com/cb'] })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(issuer)
        .setSubject('software-1')
        .setAudience(aud)
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey)
    const token = await tokenFor(latchkey, { statementIssuers: [issuer], statementRequired: true })
    const good = await post(
      latchkey.issuer,
      { ...asked, software_statement: await sign(latchkey.issuer) },
      token,
    )
    expect(good).toMatchObject({
      status: 201,
      body: { client_name: 'Stated', redirect_uris: ['https://stated.example.com/cb'] },
    })
    const refused = async (statement: unknown, by = token) =>
      (await post(latchkey.issuer, { ...asked, software_statement: statement }, by)).body.error
    expect(await refused(undefined)).toBe('invalid_software_statement')
    expect(await refused(await sign('https://other.example'))).toBe('invalid_software_statement')
    const unnamed = await tokenFor(latchkey, {})
    expect(await refused(await sign(latchkey.issuer), unnamed)).toBe('invalid_software_statement')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: issuer, sub: 'x' })).toString('base64url')}.`
    expect(await refused(none)).toBe('invalid_software_statement')
  })
})
