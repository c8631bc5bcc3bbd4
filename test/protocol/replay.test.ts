import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type Door, outcomes, register, send, spread, times } from '../support/application.ts'
import { movableClock } from '../support/clock.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { startServerProcess } from '../support/server-process.ts'
import { newVisitor } from '../support/visitor.ts'

const person = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const offline = { scope: 'openid offline_access', prompt: 'consent' }
const attempts = 20

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

async function assertingClient(latchkey: RunningLatchkey) {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const { id } = await latchkey.createClient({
    kind: 'service',
    name: 'Robot',
    authentication: 'private_key_jwt',
    jwks: { keys: [jwk] },
  })
  const assertion = (jti: string, expires: string | number = '1m'): Promise<string> =>
    new SignJWT({ jti })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(latchkey.issuer)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(privateKey)
  const use = (clientAssertion: string, at: Door = latchkey) =>
    send(at, '/token', {
      form: {
        grant_type: 'client_credentials',
        client_assertion_type: assertionType,
        client_assertion: clientAssertion,
      },
    })
  return { assertion, use }
}

describe('a client assertion', () => {
  it('authenticates one of 20 parallel requests, and none later', async () => {
    await using latchkey = await startLatchkey()
    const robot = await assertingClient(latchkey)
    const assertion = await robot.assertion(randomUUID())
    expect(outcomes(await times(attempts, () => robot.use(assertion)))).toEqual({
      200: 1,
      '401 invalid_client': attempts - 1,
    })
    expect(outcomes([await robot.use(assertion)])).toEqual({ '401 invalid_client': 1 })
    expect(outcomes([await robot.use(await robot.assertion(randomUUID()))])).toEqual({ 200: 1 })
  })

  it('authenticates once at two processes', async () => {
    await using latchkey = await startLatchkey({ environment: { LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000' } })
    await using other = await startServerProcess({
      ...latchkey,
      environment: { LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000' },
    })
    const robot = await assertingClient(latchkey)
    for (const _round of [1, 2, 3]) {
      const assertion = await robot.assertion(randomUUID())
      const answers = await times(attempts, (index) =>
        robot.use(assertion, spread([latchkey, other], index).at),
      )
      expect(outcomes(answers)).toEqual({ 200: 1, '401 invalid_client': attempts - 1 })
    }
  })

  it('stays used for as long as it is valid, whatever the cleaner removes', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    const robot = await assertingClient(latchkey)
    const assertion = await robot.assertion(randomUUID(), '55m')
    expect(outcomes([await robot.use(assertion)])).toEqual({ 200: 1 })
    clock.advance(50 * 60)
    await latchkey.app.artefacts.removeExpired()
    expect(outcomes([await robot.use(assertion)])).toEqual({ '401 invalid_client': 1 })
  })

  it('is refused when it would have to be remembered for more than an hour, or for ever', async () => {
    await using latchkey = await startLatchkey()
    const robot = await assertingClient(latchkey)
    for (const expiry of ['61m', '3d', 9e12]) {
      const assertion = await robot.assertion(randomUUID(), expiry)
      expect(outcomes([await robot.use(assertion)])).toEqual({ '401 invalid_client': 1 })
    }
  })
})

async function dpopKey(door: Door) {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const proof = (): Promise<string> =>
    new SignJWT({ htm: 'POST', htu: `${door.issuer}/token`, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
  return { proof }
}

describe('a DPoP proof', () => {
  it('is accepted by one of 20 parallel requests, and by none later', async () => {
    await using latchkey = await startLatchkey()
    const robot = await register(latchkey, { kind: 'service', redirectUris: [] })
    const key = await dpopKey(latchkey)
    const headers = { dpop: await key.proof() }
    const answers = await times(attempts, () => robot.credentials({}, { headers }))
    const accepted = answers.filter(({ status }) => status === 200)
    expect(accepted).toHaveLength(1)
    expect(accepted[0]?.body).toMatchObject({ token_type: 'DPoP' })
    const { 200: _, ...refused } = outcomes(answers)
    expect(Object.keys(refused)).toEqual([expect.stringMatching(/^400 invalid_(grant|dpop_proof)$/)])
    expect((await robot.credentials({}, { headers })).status).toBe(400)
    expect((await robot.credentials({}, { headers: { dpop: await key.proof() } })).status).toBe(200)
  })

  it('is accepted once at two processes', async () => {
    await using latchkey = await startLatchkey()
    await using other = await startServerProcess(latchkey)
    const robot = await register(latchkey, { kind: 'service', redirectUris: [] })
    const key = await dpopKey(latchkey)
    for (const _round of [1, 2, 3]) {
      const headers = { dpop: await key.proof() }
      const answers = await times(attempts, (index) =>
        robot.credentials({}, { headers, ...spread([latchkey, other], index) }),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    }
  })

  it('binds a refresh token, which then needs the key and does not rotate', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(person)
    const app = await register(latchkey, { kind: 'spa' })
    const key = await dpopKey(latchkey)
    const thief = await dpopKey(latchkey)
    const code = await app.signIn(newVisitor(), person, offline)
    const { body } = await app.redeem(code, {}, { headers: { dpop: await key.proof() } })
    expect(outcomes([await app.refresh(body.refresh_token)])).toEqual({ '400 invalid_grant': 1 })
    expect(
      outcomes([await app.refresh(body.refresh_token, { headers: { dpop: await thief.proof() } })]),
    ).toEqual({ '400 invalid_grant': 1 })
    const renewed = await app.refresh(body.refresh_token, { headers: { dpop: await key.proof() } })
    expect(renewed).toMatchObject({ status: 200, body: { refresh_token: body.refresh_token } })
  })
})
