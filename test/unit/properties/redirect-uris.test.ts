import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mutationOf } from '../../support/any-input.ts'
import { type Application, register, send } from '../../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../../support/latchkey.ts'

const registered = 'https://app.example.test/callback'
const loopback = 'http://127.0.0.1/callback'

describe('any redirect URI but a registered one', () => {
  let latchkey: RunningLatchkey
  let web: Application
  let native: Application

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment: { LATCHKEY_HOST_FAILURES_PER_MINUTE: '100000' } })
    web = await register(latchkey, { redirectUris: [registered] })
    native = await register(latchkey, { kind: 'native', redirectUris: [loopback] })
  })
  afterAll(() => latchkey.close())

  const visit = async (client: Application, redirect_uri: string) => {
    const { params } = await client.begin({ redirect_uri })
    const { status, location } = await send(latchkey, `/auth?${new URLSearchParams(params)}`)
    return { status, location }
  }
  const refused = { status: 400, location: undefined }

  it('is refused on a page of ours, at the authorization endpoint and where requests are pushed', async () => {
    await fc.assert(
      fc.asyncProperty(mutationOf(registered), async (uri) => {
        expect(await visit(web, uri)).toEqual(refused)
        const { params } = await web.begin({ redirect_uri: uri })
        expect(await web.push(params)).toMatchObject({ status: 400 })
      }),
      { numRuns: 100 },
    )
  })

  it('is refused after a sign-out', async () => {
    await fc.assert(
      fc.asyncProperty(mutationOf(registered), async (uri) => {
        // A parameter without a value is as good as none (RFC 6749 §3.1).
        fc.pre(uri !== '')
        const query = new URLSearchParams({ client_id: web.id, post_logout_redirect_uri: uri })
        const { status, location } = await send(latchkey, `/session/end?${query}`)
        expect([status, location]).toEqual([400, undefined])
      }),
      { numRuns: 50 },
    )
  })

  it('on loopback may have any port, and nothing else that differs (RFC 8252 §7.3)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 65_535 }), mutationOf('/callback'), async (port, path) => {
        expect((await visit(native, `http://127.0.0.1:${port}/callback`)).status).toBe(303)
        fc.pre(!/^\/callback/.test(path) || path.length > '/callback'.length)
        expect(await visit(native, `http://127.0.0.1:${port}${path}`)).toEqual(refused)
        expect(await visit(native, `http://127.0.0.2:${port}/callback`)).toEqual(refused)
        expect(await visit(web, `${registered.replace('/callback', `:${port}/callback`)}`)).toEqual(refused)
      }),
      { numRuns: 40 },
    )
  })
})
