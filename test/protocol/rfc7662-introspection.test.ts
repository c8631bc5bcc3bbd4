import { generateKeyPairSync } from 'node:crypto'
import { base64url, decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { ada, type JwtHouse, openJwtHouse, orders } from '../support/jwt-tokens.ts'
import { relyingParty } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const inactive = { active: false }

describe('introspection of JWT access tokens', () => {
  let house: JwtHouse

  beforeAll(async () => {
    house = await openJwtHouse()
  })
  afterAll(() => house[Symbol.asyncDispose]())

  const post = (fields: Readonly<Record<string, string>>) =>
    fetch(`${house.latchkey.issuer}/token/introspection`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${house.service.id}:${house.service.secret}`)}`,
      },
      body: new URLSearchParams(fields),
    })

  it('tells the API and the client that holds it what the token says', async () => {
    const { access_token: token } = await house.forService()
    const expected = {
      active: true,
      aud: orders,
      iss: house.latchkey.issuer,
      sub: house.service.id,
      client_id: house.service.id,
      scope: 'orders:read',
      token_type: 'Bearer',
      jti: decodeJwt(token).jti,
    }
    expect(await house.state(token)).toMatchObject(expected)
    expect(await house.state(token, house.service.configuration)).toMatchObject(expected)
  })

  it('tells whose it is, and nothing of what only the server can read', async () => {
    const { access_token: token } = await house.forPerson()
    const state = await house.state(token)
    expect(state).toMatchObject({ active: true, sub: house.userId, client_id: house.shop.client.id })
    expect(state).not.toHaveProperty('grant_ref')
  })

  it('shows nothing in two tokens by which they could be seen to come of one sign-in', async () => {
    const visitor = newVisitor()
    const [one, two] = [await house.forPerson(visitor), await house.forPerson(visitor)]
    const [a, b] = [decodeJwt(one.access_token), decodeJwt(two.access_token)]
    const own = new Set(['iss', 'sub', 'aud', 'client_id', 'scope', 'iat', 'exp'])
    const same = Object.keys(a).filter((name) => !own.has(name) && a[name] === b[name])
    expect(same).toEqual([])
  })

  it('tells nobody else anything', async () => {
    const { access_token: token } = await house.forPerson()
    expect(await house.state(token, house.service.configuration)).toEqual(inactive)
    const stranger = await house.configured({ kind: 'service', name: 'Stranger' })
    expect(await house.state(token, stranger.configuration)).toEqual(inactive)
    const app = await relyingParty(house.latchkey, {
      kind: 'spa',
      name: 'App',
      firstParty: true,
      scopes: ['openid', 'orders:read'],
    })
    const own = await house.forPerson(newVisitor(), app)
    expect(await house.state(own.access_token, app.configuration)).toEqual(inactive)
    expect(await house.state(own.access_token)).toMatchObject({ active: true })
    const unauthenticated = await fetch(`${house.latchkey.issuer}/token/introspection`, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: house.service.id }),
    })
    expect(unauthenticated.status).toBe(401)
  })

  it('takes no ID token, and no JWT that is anything else or of anybody else', async () => {
    const { access_token: token, id_token: idToken } = await house.forPerson()
    expect(await house.state(idToken, house.shop.configuration)).toEqual(inactive)
    const payload = decodeJwt(token)
    const header = decodeProtectedHeader(token)
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const signed = (more: Readonly<Record<string, unknown>>, payloadMore = {}) =>
      new SignJWT({ ...payload, ...payloadMore })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: header.kid, ...more })
        .sign(privateKey)
    const [, body = '', signature = ''] = token.split('.')
    const written = (value: unknown) => base64url.encode(JSON.stringify(value))
    const forged = [
      await signed({}),
      await signed({ kid: undefined, jwk: publicKey.export({ format: 'jwk' }) }),
      await signed({ kid: undefined, jku: 'http://localhost:9/keys' }),
      await signed({}, { iss: 'https://other.example.test' }),
      await signed({ typ: 'JWT' }),
      `${written({ ...header, alg: 'none' })}.${body}.`,
      `${written({ ...header, alg: 'none' })}.${body}.${signature}`,
      `${written({ ...header, typ: 'JWT' })}.${body}.${signature}`,
      `${written({ ...header, alg: 'HS256' })}.${body}.${signature}`,
      `${written(header)}.${written({ ...payload, scope: 'orders:read orders:write' })}.${signature}`,
      `${written(header)}.${body}.${signature.slice(0, -4)}AAAA`,
      `${written({ ...header, crit: ['x'], x: 1 })}.${body}.${signature}`,
      `${written(header)}.${base64url.encode('[]')}.${signature}`,
      `${written(header)}..`,
    ]
    for (const each of forged) expect(await house.state(each, house.shop.configuration)).toEqual(inactive)
    expect(await house.state(token, house.shop.configuration)).toMatchObject({ active: true })
  })

  it('takes no JWT of ours that is no access token, whatever else it holds', async () => {
    const { access_token: token } = await house.forPerson()
    const { jwks } = await house.latchkey.app.features.signingKeys.keys.snapshot()
    const key = jwks.find(({ alg }) => alg === 'ES256')
    if (key === undefined) throw new Error('There is no key.')
    const of = (typ: string | undefined, more = {}) =>
      new SignJWT({ ...decodeJwt(token), ...more })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...(typ && { typ }) })
        .sign(key)
    for (const typ of [undefined, 'JWT', 'logout+jwt', 'token-introspection+jwt', 'dpop+jwt'])
      expect(await house.state(await of(typ), house.shop.configuration)).toEqual(inactive)
    // One that names no grant is nobody's, and a reference of another token opens nothing.
    for (const more of [{ grant_ref: undefined }, { grant_ref: 'v1.AAAA' }, { jti: 'another' }])
      expect(await house.state(await of('at+jwt', more), house.shop.configuration)).toEqual(inactive)
    expect(await house.state(await of('at+jwt'), house.shop.configuration)).toMatchObject({ active: true })
  })

  it('answers an overlong token, too', async () => {
    const { access_token: token } = await house.forService()
    const [header = '', , signature = ''] = token.split('.')
    const response = await post({ token: `${header}.${'A'.repeat(50_000)}.${signature}` })
    expect(await response.json()).toEqual(inactive)
  })

  it('is inactive once it has expired', async () => {
    const { access_token: token } = await house.forService()
    const { jwks } = await house.latchkey.app.features.signingKeys.keys.snapshot()
    const key = jwks.find(({ alg }) => alg === 'ES256')
    if (key === undefined) throw new Error('There is no key.')
    const now = Math.floor(Date.now() / 1000)
    const aged = (exp: number) =>
      new SignJWT({ ...decodeJwt(token), exp })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' })
        .sign(key)
    expect(await house.state(await aged(now + 30))).toMatchObject({ active: true })
    expect(await house.state(await aged(now - 1))).toEqual(inactive)
  })

  it('is inactive once the session has ended in which it was given', async () => {
    const visitor = newVisitor()
    const app = await relyingParty(house.latchkey, {
      name: 'Kiosk',
      firstParty: true,
      scopes: ['openid', 'orders:read'],
    })
    const { access_token: token, id_token: idToken } = await house.forPerson(visitor, app)
    expect(await house.state(token)).toMatchObject({ active: true })
    const page = await visitor.follow(
      await visitor.get(
        `${house.latchkey.issuer}/session/end?${new URLSearchParams({ id_token_hint: idToken })}`,
      ),
    )
    await visitor.follow(await visitor.submit(page, { logout: 'yes' }))
    expect(await house.state(token)).toEqual(inactive)
  })

  it('is inactive once its session is past its time, before anybody has cleaned up', async () => {
    const person = { email: 'grace@example.test', name: 'Grace', password: 'flow-matic compiler 1955' }
    const id = await house.latchkey.createUser(person)
    const { access_token: token } = await house.forPerson(newVisitor(), house.shop, person)
    expect(await house.state(token)).toMatchObject({ active: true })
    await house.latchkey.app.storage.db.artefact.updateMany({
      where: { model: 'Session', userId: id },
      data: { expiresAt: new Date(Date.now() - 1_000) },
    })
    expect(await house.state(token)).toEqual(inactive)
  })

  it('is inactive once the person is disabled, and stays it', async () => {
    const person = { email: 'charles@example.test', name: 'Charles', password: 'difference engine 1822' }
    await house.latchkey.createUser(person)
    const { access_token: token } = await house.forPerson(newVisitor(), house.shop, person)
    expect(await house.state(token)).toMatchObject({ active: true })
    await house.act('users', person.email, 'disable')
    expect(await house.state(token)).toEqual(inactive)
    await house.act('users', person.email, 'enable')
    expect(await house.state(token)).toEqual(inactive)
  })

  it('is inactive once the application has no access any more', async () => {
    const third = await relyingParty(house.latchkey, {
      name: 'Third',
      scopes: ['openid', 'offline_access', 'orders:read'],
    })
    const tokens = await third.signIn(newVisitor(), ada, {
      resource: orders,
      scope: 'openid offline_access orders:read',
      prompt: 'consent',
    })
    const { access_token: token } = await openid.refreshTokenGrant(
      third.configuration,
      tokens.refresh_token ?? '',
      {
        resource: orders,
      },
    )
    expect(await house.state(token)).toMatchObject({ active: true })
    await house.latchkey.app.features.consents.consents.withdraw(
      { userId: house.userId, clientId: third.client.id },
      { actor: commandLineActor },
    )
    expect(await house.state(token)).toEqual(inactive)
  })

  it('is inactive once the client is disabled, and what it had then stays ended', async () => {
    const robot = await house.configured({ kind: 'service', name: 'Robot', scopes: ['orders:read'] })
    const get = () =>
      openid.clientCredentialsGrant(robot.configuration, { resource: orders, scope: 'orders:read' })
    const { access_token: token } = await get()
    expect(await house.state(token)).toMatchObject({ active: true })
    await house.act('clients', robot.id, 'disable')
    expect(await house.state(token)).toEqual(inactive)
    await house.act('clients', robot.id, 'enable')
    expect(await house.state(token)).toEqual(inactive)
  })

  it('is inactive once the client has lost a scope', async () => {
    const robot = await house.configured({ kind: 'service', name: 'Robot', scopes: ['orders:read'] })
    const { access_token: token } = await openid.clientCredentialsGrant(robot.configuration, {
      resource: orders,
      scope: 'orders:read',
    })
    const { resource } = house.latchkey.app.features.clients
    const item = await resource.find(robot.id)
    if (item !== undefined) await resource.update(item, { scopes: [] }, commandLineActor)
    expect(await house.state(token)).toEqual(inactive)
  })

  it('goes on across a change of signing keys', async () => {
    const { access_token: token } = await house.forService()
    const rotate = house.latchkey.app.features.signingKeys.commands?.find(
      ({ words }) => words.join(' ') === 'keys rotate',
    )
    await rotate?.run({ algorithm: 'ES256', immediately: true })
    const { access_token: next } = await house.forService()
    expect(decodeProtectedHeader(next).kid).not.toBe(decodeProtectedHeader(token).kid)
    expect(await house.state(next)).toMatchObject({ active: true })
    expect(await house.state(token)).toMatchObject({ active: true })
  })
})
