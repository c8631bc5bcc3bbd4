import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type JwtHouse, openJwtHouse, orders } from '../support/jwt-tokens.ts'
import { newVisitor } from '../support/visitor.ts'

const inactive = { active: false }

describe('revocation of JWT access tokens', () => {
  let house: JwtHouse

  beforeAll(async () => {
    house = await openJwtHouse()
  })
  afterAll(() => house[Symbol.asyncDispose]())

  const post = (token: string, { id, secret }: { id: string; secret: string }) =>
    fetch(`${house.latchkey.issuer}/token/revocation`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      body: new URLSearchParams({ token }),
    })

  it('ends one of a service and no other', async () => {
    const [one, other] = [await house.forService(), await house.forService()]
    await openid.tokenRevocation(house.service.configuration, one.access_token)
    expect(await house.state(one.access_token)).toEqual(inactive)
    expect(await house.state(one.access_token, house.service.configuration)).toEqual(inactive)
    expect(await house.state(other.access_token)).toMatchObject({ active: true })
  })

  it('takes twenty at once, and again later, and says the same each time (§2.2)', async () => {
    const { access_token: token } = await house.forService()
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(token, house.service)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect((await post(token, house.service)).status).toBe(200)
    expect(await house.state(token)).toEqual(inactive)
    const id = { model: 'RevokedAccessToken' }
    const rows = await house.latchkey.app.storage.db.artefact.findMany({ where: id })
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length)
    // Nothing of the token itself is kept, and not for longer than it would have lived.
    expect(JSON.stringify(rows)).not.toContain(token.split('.')[1]?.slice(0, 40))
    for (const { expiresAt } of rows) expect(expiresAt?.getTime()).toBeLessThanOrEqual(Date.now() + 600_000)
  })

  it('of a person ends what came of the same grant, as that of an opaque one does (§2.1)', async () => {
    const tokens = await house.forPerson()
    const again = await openid.refreshTokenGrant(house.shop.configuration, tokens.refresh_token, {
      resource: orders,
    })
    await openid.tokenRevocation(house.shop.configuration, tokens.access_token)
    expect(await house.state(tokens.access_token)).toEqual(inactive)
    expect(await house.state(again.access_token)).toEqual(inactive)
    await expect(
      openid.refreshTokenGrant(house.shop.configuration, tokens.refresh_token),
    ).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('leaves the session, in which the person is let in again', async () => {
    const visitor = newVisitor()
    const tokens = await house.forPerson(visitor)
    await openid.tokenRevocation(house.shop.configuration, tokens.access_token)
    const request = await house.shop.request({ prompt: 'none', scope: 'openid' })
    const renewed = await house.shop.redeem(request, (await visitor.get(request.url)).location)
    expect(renewed.claims()?.sub).toBe(house.userId)
  })

  it('leaves the other devices of the person alone', async () => {
    const [here, there] = [await house.forPerson(), await house.forPerson()]
    await openid.tokenRevocation(house.shop.configuration, here.access_token)
    expect(await house.state(there.access_token)).toMatchObject({ active: true })
  })

  it('of a refresh token ends the JWT access tokens that came from it', async () => {
    const tokens = await house.forPerson()
    await openid.tokenRevocation(house.shop.configuration, tokens.refresh_token)
    expect(await house.state(tokens.access_token)).toEqual(inactive)
  })

  it('by another client changes nothing, and does not tell that there was a token', async () => {
    const tokens = await house.forPerson()
    const stranger = await house.configured({ kind: 'service', name: 'Stranger' })
    for (const token of [tokens.access_token, tokens.id_token, 'a.b.c', `${tokens.access_token}x`])
      expect((await post(token, stranger)).status).toBe(200)
    // The API may ask about the token, and not end it.
    await openid.tokenRevocation(house.asking, tokens.access_token)
    expect(await house.state(tokens.access_token)).toMatchObject({ active: true })
  })

  it('of an ID token ends nothing', async () => {
    const tokens = await house.forPerson()
    await openid.tokenRevocation(house.shop.configuration, tokens.id_token)
    expect(await house.state(tokens.access_token)).toMatchObject({ active: true })
  })

  it('is refused without authentication', async () => {
    const { access_token: token } = await house.forService()
    const response = await fetch(`${house.latchkey.issuer}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: house.service.id }),
    })
    expect(response.status).toBe(401)
    expect((await post(token, { ...house.service, secret: 'wrong' })).status).toBe(401)
    expect(await house.state(token)).toMatchObject({ active: true })
  })
})
