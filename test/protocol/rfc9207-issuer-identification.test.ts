import {
  type AuthorizationServer,
  allowInsecureRequests,
  discoveryRequest,
  expectNoState,
  processDiscoveryResponse,
  validateAuthResponse,
} from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Application, type Fields, register, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { broughtBy, strictCallback } from '../support/strict-party.ts'
import { newVisitor, type Page } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const insecure = { [allowInsecureRequests]: true }

describe('responses that say who gives them (RFC 9207)', () => {
  let latchkey: RunningLatchkey
  let server: AuthorizationServer
  let shop: Application

  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const issuer = new URL(latchkey.issuer)
    server = await processDiscoveryResponse(issuer, await discoveryRequest(issuer, insecure))
    shop = await register(latchkey, { redirectUris: [strictCallback] })
  })
  afterAll(() => latchkey.close())

  const ask = async (more: Fields = {}): Promise<Page> => {
    const visitor = newVisitor()
    const { params } = await shop.begin({ redirect_uri: strictCallback, state: 'state', ...more })
    const page = await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`)
    return more.prompt === 'none' || page.location?.startsWith(strictCallback)
      ? page
      : await walk(visitor, page, ada)
  }

  it('are announced', () => {
    expect(server.authorization_response_iss_parameter_supported).toBe(true)
  })

  it.each(['query', 'fragment', 'jwt'])('are so in the mode %s', async (mode) => {
    expect(broughtBy(await ask({ response_mode: mode })).iss).toBe(latchkey.issuer)
  })

  it.each([
    ['of who signs in nowhere', { prompt: 'none' }, 'login_required'],
    ['of what is refused', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['of what is not known', { response_type: 'everything' }, 'unsupported_response_type'],
    ['of a form', { prompt: 'none', response_mode: 'form_post' }, 'login_required'],
    ['of a signed response', { prompt: 'none', response_mode: 'jwt' }, 'login_required'],
  ])('are so where they are errors %s', async (_what, more, error) => {
    expect(broughtBy(await ask(more))).toMatchObject({ error, iss: latchkey.issuer })
  })

  it('are taken by a client that checks, and refused when they come from another server', async () => {
    const location = new URL((await ask()).location ?? '')
    const validate = (url: URL, of = server) => validateAuthResponse(of, { client_id: shop.id }, url, 'state')
    expect(validate(location).get('code')).toBeTruthy()
    const mixedUp = { ...server, issuer: 'https://honest.example.test' }
    expect(() => validate(location, mixedUp)).toThrow(/iss/)
    const without = new URL(location)
    without.searchParams.delete('iss')
    expect(() => validate(without)).toThrow(/iss/)
    expect(() => validateAuthResponse(server, { client_id: shop.id }, location, expectNoState)).toThrow()
  })

  it('name the issuer once, whatever the request or the redirect URI says', async () => {
    const sly = await register(latchkey, { redirectUris: [`${strictCallback}?iss=https://evil.test`] })
    const { params } = await sly.begin({
      redirect_uri: `${strictCallback}?iss=https://evil.test`,
      iss: 'https://evil.test',
      prompt: 'none',
    })
    const { location = '' } = await newVisitor().get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`)
    expect(new URL(location).searchParams.getAll('iss')).toEqual([latchkey.issuer])
  })
})
