import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ada, type JwtHouse, openJwtHouse, orders } from '../support/jwt-tokens.ts'
import { answered, walkThrough } from '../support/relying-party.ts'
import { newVisitor } from '../support/visitor.ts'

const stock = 'https://stock.example.test'

describe('resource indicators', () => {
  let house: JwtHouse

  beforeAll(async () => {
    house = await openJwtHouse()
    await house.latchkey.createApi({
      indicator: stock,
      name: 'Stock',
      scopes: [{ name: 'orders:read' }, { name: 'stock:read' }],
    })
  })
  afterAll(() => house[Symbol.asyncDispose]())

  const ask = (resource: string) =>
    openid.clientCredentialsGrant(house.service.configuration, { resource, scope: 'orders:read' })

  it('make the audience of the token, which is that one API (§2.2)', async () => {
    for (const resource of [orders, stock])
      expect(decodeJwt((await ask(resource)).access_token).aud).toBe(resource)
  })

  it('of two APIs in one sign-in give each a token of its own', async () => {
    const request = await house.shop.request({ scope: 'openid orders:read', resource: orders })
    const url = new URL(request.url)
    url.searchParams.append('resource', stock)
    const tokens = await house.shop.redeem(request, await walkThrough(newVisitor(), url.href, ada))
    for (const resource of [orders, stock]) {
      const { access_token: token } = await openid.refreshTokenGrant(
        house.shop.configuration,
        tokens.refresh_token ?? '',
        { resource },
      )
      expect(decodeJwt(token)).toMatchObject({ aud: resource, scope: 'orders:read' })
    }
  })

  it('that were not named at the sign-in give nothing afterwards', async () => {
    const tokens = await house.forPerson()
    await expect(
      openid.refreshTokenGrant(house.shop.configuration, tokens.refresh_token, { resource: stock }),
    ).rejects.toMatchObject({ error: 'invalid_target' })
  })

  it.each([
    'https://unknown.example.test',
    `${orders}/`,
    `${orders}#fragment`,
    orders.toUpperCase(),
    'orders',
    '//orders.example.test',
    'javascript:alert(1)',
    '__proto__',
    `https://x.example/${'y'.repeat(1_000)}`,
  ])('%s is no API (§2)', async (resource) => {
    await expect(ask(resource)).rejects.toMatchObject({ error: 'invalid_target' })
    const { url } = await house.shop.request({ resource })
    expect(answered((await newVisitor().get(url)).location).error).toBe('invalid_target')
  })

  it('of a disabled API give nothing, and its tokens are told of to nobody else', async () => {
    const gone = 'https://gone.example.test'
    const asking = await house.configured({ kind: 'service', name: 'Gone API' })
    await house.latchkey.createApi({
      indicator: gone,
      name: 'Gone',
      scopes: [{ name: 'orders:read' }],
      introspectors: [asking.id],
    })
    const { access_token: token } = await ask(gone)
    expect(await house.state(token, asking.configuration)).toMatchObject({ active: true })
    await house.act('resources', gone, 'disable')
    await expect(ask(gone)).rejects.toMatchObject({ error: 'invalid_target' })
    expect(await house.state(token, asking.configuration)).toEqual({ active: false })
  })

  it('name one API alone for client credentials', async () => {
    const { id, secret } = house.service
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'orders:read',
      resource: orders,
    })
    body.append('resource', stock)
    const response = await fetch(`${house.latchkey.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      body,
    })
    expect(response.status).toBe(400)
    expect((await response.json()).error).toBe('invalid_target')
  })
})
