import type { Browser } from './browser.ts'
import { devicePolling } from './device-polling.ts'
import { boundExchanges, pushedSignIns, pushes } from './fapi.ts'
import { codeForm, mintCodes, mintTokens, requestTokens, ssoStream } from './flows.ts'
import type { Stream } from './load.ts'
import { parameters } from './parameters.ts'
import { registrationStream } from './registration.ts'
import { basicAuthorization, getRequest, postRequest } from './requests.ts'
import type { Target } from './target.ts'
import { tokenExchanges } from './token-exchange.ts'

export interface Scenario {
  readonly name: string
  /** The least ratio of requests per second to the bare provider's that is aimed at. */
  readonly goal?: number
  /** The bare provider has nothing like it, so that there is no ratio. */
  readonly alone?: boolean
  /** Makes what a window of `seconds` uses up; not measured. */
  prepare(subject: Subject, seconds: number): Stream | Promise<Stream>
}

/** A target and its signed-in browsers; signing in happens once, when first needed. */
export interface Subject {
  readonly target: Target
  browsers(): Promise<readonly Browser[]>
}

const basic = (subject: Subject, client: 'web' | 'service') => ({
  authorization: basicAuthorization(subject.target[client]),
})

export const scenarios: readonly Scenario[] = [
  {
    name: 'discovery',
    goal: 1,
    prepare: ({ target }) => same(target, getRequest(target.endpoints.discovery), '"issuer":'),
  },
  {
    name: 'jwks',
    goal: 1,
    prepare: ({ target }) => same(target, getRequest(target.endpoints.jwks_uri), '"keys":'),
  },
  { name: 'client-credentials-opaque', goal: 0.4, prepare: (subject) => clientCredentials(subject) },
  { name: 'client-credentials-es256', goal: 0.9, prepare: (subject) => clientCredentials(subject, 'es256') },
  { name: 'client-credentials-rs256', goal: 0.9, prepare: (subject) => clientCredentials(subject, 'rs256') },
  {
    name: 'introspection',
    goal: 0.6,
    async prepare(subject) {
      const { target } = subject
      const tokens = await Promise.all(
        Array.from({ length: parameters.connections }, () =>
          requestTokens(target, 'service', { grant_type: 'client_credentials' }),
        ),
      )
      const post = postRequest(target.endpoints.introspection_endpoint, basic(subject, 'service'))
      const requests = tokens.map(({ access_token }) => post({ token: access_token }))
      return oneEach(target, requests, '"active":true')
    },
  },
  {
    name: 'userinfo',
    goal: 0.6,
    async prepare({ target, browsers }) {
      const tokens = await mintTokens(target, await browsers())
      const requests = tokens.map(({ access_token }) =>
        getRequest(target.endpoints.userinfo_endpoint, { authorization: `Bearer ${access_token}` }),
      )
      return oneEach(target, requests, `"email":"${parameters.user.identifier}"`)
    },
  },
  {
    name: 'code-exchange',
    goal: 0.4,
    async prepare(subject, seconds) {
      const codes = await mintCodes(subject.target, await subject.browsers(), seconds)
      const post = postRequest(subject.target.endpoints.token_endpoint, basic(subject, 'web'))
      const unused = codes.values()
      return {
        origin: subject.target.issuer,
        connections: parameters.connections,
        next() {
          const code = unused.next().value
          return code === undefined ? undefined : post(codeForm(code))
        },
        expected: { status: 200, text: '"id_token":' },
      }
    },
  },
  {
    name: 'refresh',
    async prepare(subject) {
      const { target } = subject
      const tokens = await mintTokens(target, await subject.browsers())
      const post = postRequest(target.endpoints.token_endpoint, basic(subject, 'web'))
      const requests = tokens.map(({ refresh_token }) => {
        if (refresh_token === undefined) throw new Error(`${target.name} issued no refresh token`)
        return post({ grant_type: 'refresh_token', refresh_token })
      })
      return oneEach(target, requests, '"id_token":')
    },
  },
  {
    name: 'sso',
    goal: 0.4,
    prepare: async ({ target, browsers }) => ssoStream(target, await browsers()),
  },
  { name: 'fapi-push', prepare: ({ target }, seconds) => pushes(target, seconds) },
  {
    name: 'fapi-sso',
    prepare: async ({ target, browsers }, seconds) => pushedSignIns(target, await browsers(), seconds),
  },
  {
    name: 'fapi-code-exchange',
    prepare: async ({ target, browsers }, seconds) => boundExchanges(target, await browsers(), seconds),
  },
  { name: 'token-exchange', alone: true, prepare: ({ target }) => tokenExchanges(target) },
  { name: 'device-polling', prepare: ({ target }) => devicePolling(target) },
  // The last, as it leaves its clients behind.
  { name: 'registration', prepare: ({ target }) => registrationStream(target) },
]

/** A client-credentials stream; with an API its tokens are JWTs. */
export function clientCredentials(
  subject: Subject,
  api?: 'es256' | 'rs256',
  connections: number = parameters.connections,
): Stream {
  const { target } = subject
  const form = {
    grant_type: 'client_credentials',
    ...(api ? { resource: target.apis[api], scope: parameters.apiScope } : {}),
  }
  const request = postRequest(target.endpoints.token_endpoint, basic(subject, 'service'))(form)
  return { ...same(target, request, api ? '"access_token":"ey' : '"access_token":"'), connections }
}

function same(target: Target, request: Buffer, text: string): Stream {
  return {
    origin: target.issuer,
    connections: parameters.connections,
    next: () => request,
    expected: { status: 200, text },
  }
}

function oneEach(target: Target, requests: readonly Buffer[], text: string): Stream {
  return {
    origin: target.issuer,
    connections: requests.length,
    next: (connection) => requests[connection],
    expected: { status: 200, text },
  }
}
