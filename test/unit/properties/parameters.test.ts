import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, text } from '../../support/any-input.ts'
import { type Application, application, type Fields, register, send } from '../../support/application.ts'
import { bank, type DetailHouse, openDetailHouse, payment } from '../../support/authorization-details.ts'
import { type RunningLatchkey, startLatchkey } from '../../support/latchkey.ts'
import { answered } from '../../support/relying-party.ts'
import { newVisitor } from '../../support/visitor.ts'

const api = 'https://orders.example.test'
const own = ['orders:read', 'orders:write']
const environment = { LATCHKEY_HOST_FAILURES_PER_MINUTE: '100000' }

const scope = fc
  .array(fc.oneof(fc.constantFrom(...own, 'orders:delete', 'openid', 'offline_access', 'admin'), text), {
    maxLength: 6,
  })
  .chain((all) => fc.constantFrom(' ', '  ', '\t', '+', ',').map((between) => all.join(between)))
const resource = fc.oneof(fc.constant(api), text, fc.constantFrom(`${api}/`, `${api}#x`, api.toUpperCase()))

describe('scopes and resources of any text', () => {
  let latchkey: RunningLatchkey
  let service: Application
  let web: Application

  beforeAll(async () => {
    latchkey = await startLatchkey({ environment })
    const scopes = [...own, 'orders:delete'].map((name) => ({ name }))
    await latchkey.createApi({ indicator: api, name: 'Orders', scopes })
    service = application(
      latchkey,
      await latchkey.createClient({ kind: 'service', name: 'Importer', scopes: own }),
    )
    web = await register(latchkey)
  })
  afterAll(() => latchkey.close())

  it('give a service what it may have of what it asked for, or are refused', async () => {
    await fc.assert(
      fc.asyncProperty(scope, resource, async (asked, at) => {
        // A parameter without a value is as good as none (RFC 6749 §3.1).
        fc.pre(at !== '')
        const { status, body } = await service.credentials({ scope: asked, resource: at })
        expect([200, 400]).toContain(status)
        // A refusal says in `scope` what was wrong.
        const given = status === 200 ? String(body.scope ?? '').split(' ') : []
        const allowed = ['', ...own.filter((each) => asked.split(' ').includes(each))]
        expect(given.filter((each) => !allowed.includes(each))).toEqual([])
        if (status === 200) expect(at).toBe(api)
      }),
      { numRuns: 80 },
    )
  })

  it('lead a browser to a page or back to its application', async () => {
    await fc.assert(
      fc.asyncProperty(scope, resource, async (asked, at) => {
        const { params } = await web.begin({ scope: asked, resource: at })
        const { status } = await send(latchkey, `/auth?${new URLSearchParams(params)}`)
        expect([303, 400]).toContain(status)
      }),
      { numRuns: 60 },
    )
  })

  const endpoints = ['/token', '/request', '/token/introspection', '/token/revocation', '/device/auth']
  it('and any other parameters are answered, and never with a failure of the server', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...endpoints, '/backchannel', '/session/end', '/me'),
        fc.dictionary(
          fc.oneof(fc.constantFrom('grant_type', 'token', 'client_id', 'claims', 'code'), text),
          text,
        ),
        async (path, form) => {
          const { status } = await send(latchkey, path, { form: form as Fields })
          expect(status).toBeGreaterThanOrEqual(200)
          expect(status).toBeLessThan(500)
        },
      ),
      { numRuns: 80 },
    )
    expect(latchkey.logged.filter((line) => line.startsWith('{"level":"error"'))).toEqual([])
  })
})

describe('authorization details of any JSON', () => {
  let house: DetailHouse

  beforeAll(async () => {
    house = await openDetailHouse()
  })
  afterAll(() => house.latchkey.close())

  const detail = fc.oneof(
    json,
    fc.dictionary(text, json, { maxKeys: 4 }).map((more) => ({ ...payment, ...more })),
    fc
      .constantFrom(...Object.keys(payment))
      .chain((name) => json.map((value) => ({ ...payment, [name]: value }))),
  )

  it('are refused unless they are of their type', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(detail, { maxLength: 3 }), json), async (details) => {
        const { url } = await house.shop.request({
          resource: bank,
          scope: 'openid',
          authorization_details: JSON.stringify(details),
        })
        const page = await newVisitor().get(url)
        expect([303, 400]).toContain(page.status)
        const isBack = page.location?.startsWith(house.latchkey.issuer) === false
        if (isBack)
          expect(answered(page.location).error).toMatch(/^invalid_(authorization_details|request|target)$/)
      }),
      { numRuns: 70 },
    )
  })
})
