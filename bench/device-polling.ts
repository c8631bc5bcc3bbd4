import { z } from 'zod'
import { runLoad, type Stream } from './load.ts'
import { parameters } from './parameters.ts'
import { basicAuthorization, postRequest } from './requests.ts'
import type { Target } from './target.ts'

const longestSeconds = 120
const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
const codeAnswer = z.object({ device_code: z.string() })
const lines = new WeakMap<Target, Promise<Polls>>()

/** The poll of the device whose turn it is. */
type Polls = () => Buffer

/**
 * Devices that wait for their persons and poll in turn, so that each of them comes once in some seconds as it should. Of a
 * server they are made when first needed and stay, since they wait for longer than a run takes.
 */
export async function devicePolling(target: Target): Promise<Stream> {
  const polls = lines.get(target) ?? waitingDevices(target)
  lines.set(target, polls)
  return {
    origin: target.issuer,
    connections: parameters.connections,
    next: await polls,
    // Who is so fast that a device comes again too early has to say slow_down, which costs it the same.
    expected: { status: 400, text: '"error":' },
  }
}

async function waitingDevices({ name, issuer, endpoints, web }: Target): Promise<Polls> {
  const headers = { authorization: basicAuthorization(web) }
  const asking = postRequest(endpoints.device_authorization_endpoint, headers)({ scope: 'openid' })
  const polling = postRequest(endpoints.token_endpoint, headers)
  const polls: Buffer[] = []
  let asked = 0
  const measured = await runLoad(
    {
      origin: issuer,
      connections: parameters.connections,
      next: () => (asked++ < parameters.waitingDevices ? asking : undefined),
      expected: { status: 200, text: '"device_code":' },
      answered({ body }) {
        const { device_code } = codeAnswer.parse(JSON.parse(body.toString()))
        polls.push(polling({ grant_type: grantType, device_code }))
      },
    },
    longestSeconds,
  )
  if (measured.failures > 0 || polls.length < parameters.waitingDevices)
    throw new Error(`${name}: only ${polls.length} devices wait: ${measured.firstFailure ?? 'out of time'}`)
  let turn = 0
  return () => polls[turn++ % polls.length] ?? asking
}
