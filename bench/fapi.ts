/**
 * A code flow whose requests are pushed, whose client proves itself by a key and whose tokens are bound to one: the push,
 * the way through the browser and the exchange, each by itself. Assertions and proofs are signed before the window, as
 * that is work of clients.
 */
import { z } from 'zod'
import { type Browser, freshState, pkce } from './browser.ts'
import { codeForm, collectCodes } from './flows.ts'
import { runLoad, type Stream } from './load.ts'
import { parameters } from './parameters.ts'
import { assertionForm, proofFor } from './proofs.ts'
import { getRequest, postRequest } from './requests.ts'
import type { Target } from './target.ts'

/** More than any server answers in a second; when they are used up a window ends early. */
const requestsPerSecond = 1_500

/** Requests that nothing but the client's assertion tells apart. */
export function pushes({ endpoints, fapi, issuer }: Target, seconds: number): Stream {
  const endpoint = endpoints.pushed_authorization_request_endpoint
  const requests = Array.from({ length: Math.ceil(requestsPerSecond * seconds) }, () =>
    postRequest(endpoint, { dpop: proofFor(endpoint) })({
      ...assertionForm(fapi.id, issuer),
      response_type: 'code',
      redirect_uri: parameters.redirectUri,
      scope: parameters.scope,
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
      state: freshState(),
    }),
  ).values()
  return {
    origin: issuer,
    connections: parameters.connections,
    next: () => requests.next().value,
    expected: { status: 201, text: '"request_uri":' },
  }
}

const pushAnswer = z.object({ request_uri: z.string() })

/** Signed-in browsers that bring pushed requests, each of which works once. */
export async function pushedSignIns(
  target: Target,
  browsers: readonly Browser[],
  seconds: number,
): Promise<Stream> {
  const uris: string[] = []
  const answered: Stream['answered'] = ({ body }) => {
    uris.push(pushAnswer.parse(JSON.parse(body.toString())).request_uri)
  }
  const pushed = await runLoad({ ...pushes(target, seconds), answered }, seconds * 2)
  if (pushed.failures > 0) throw new Error(`${target.name}: pushing failed: ${pushed.firstFailure}`)
  const unused = uris.values()
  const cookies = browsers.map((browser) => browser.cookiesFor(target.endpoints.authorization_endpoint))
  return {
    origin: target.issuer,
    connections: browsers.length,
    next(connection) {
      const uri = unused.next().value
      if (uri === undefined) return undefined
      const query = new URLSearchParams({ client_id: target.fapi.id, request_uri: uri })
      return getRequest(`${target.endpoints.authorization_endpoint}?${query}`, {
        cookie: cookies[connection] ?? '',
      })
    },
    expected: { status: 303, text: `ocation: ${parameters.redirectUri}?code=` },
  }
}

/** The codes of pushed requests, redeemed. */
export async function boundExchanges(
  target: Target,
  browsers: readonly Browser[],
  seconds: number,
): Promise<Stream> {
  const { endpoints, fapi, issuer } = target
  const codes = await collectCodes(target, await pushedSignIns(target, browsers, seconds), seconds)
  const requests = codes
    .map((code) =>
      postRequest(endpoints.token_endpoint, { dpop: proofFor(endpoints.token_endpoint) })({
        ...assertionForm(fapi.id, issuer),
        ...codeForm(code),
      }),
    )
    .values()
  return {
    origin: issuer,
    connections: parameters.connections,
    next: () => requests.next().value,
    expected: { status: 200, text: '"token_type":"DPoP"' },
  }
}
