import { describe, expect, it } from 'vitest'
import { startLatchkey } from '../support/latchkey.ts'

describe('the limit of client authentications', () => {
  const environment = {
    LATCHKEY_HOST_FAILURES_PER_MINUTE: '3',
    LATCHKEY_HOST_TRUSTED_PROXIES: '127.0.0.1,::1',
  }

  const authenticating = [
    'token_endpoint',
    'introspection_endpoint',
    'revocation_endpoint',
    'pushed_authorization_request_endpoint',
  ] as const

  it.each(authenticating)(
    'holds at the %s, for the address that guesses and for nobody else',
    async (endpoint) => {
      await using latchkey = await startLatchkey({ environment })
      const client = await latchkey.createClient({ kind: 'service', name: 'Robot' })
      const { [endpoint]: url = '' } = (await (
        await fetch(`${latchkey.issuer}/.well-known/openid-configuration`)
      ).json()) as Record<string, string>
      const guess = (from: string, secret = 'a guess') =>
        fetch(url, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${client.id}:${secret}`)}`, 'x-forwarded-for': from },
          body: new URLSearchParams({ grant_type: 'client_credentials', token: 'x' }),
        })

      // Who gives the right secret is never limited.
      for (let time = 0; time < 5; time += 1)
        expect((await guess('192.0.2.1', client.secret)).status).not.toBe(429)
      for (let time = 0; time < 3; time += 1) expect((await guess('192.0.2.1')).status).toBe(401)
      const refused = await guess('192.0.2.1', client.secret)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60)
      expect(await refused.json()).toMatchObject({ error: 'host.too_many_failures' })
      expect((await guess('192.0.2.2', client.secret)).status).not.toBe(429)

      for (let time = 0; time < 3; time += 1) expect((await guess(`2001:db8::${time}`)).status).toBe(401)
      expect((await guess('2001:db8::ffff:1')).status).toBe(429)
      expect((await guess('2001:db8:0:1::1')).status).toBe(401)
    },
  )

  it('holds for every spelling that the endpoint answers to', async () => {
    await using latchkey = await startLatchkey({ environment })
    const client = await latchkey.createClient({ kind: 'service', name: 'Robot' })
    const guess = async (path: string) =>
      (
        await fetch(`${latchkey.issuer}${path}`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${client.id}:a guess`)}`, 'x-forwarded-for': '192.0.2.1' },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        })
      ).status
    for (const path of ['/token', '/TOKEN', '/token/']) expect([path, await guess(path)]).toEqual([path, 401])
    for (const path of ['/token', '/Token', '/token/']) expect([path, await guess(path)]).toEqual([path, 429])
  })
})
