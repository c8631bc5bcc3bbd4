/**
 * Ten thousand devices that wait for their persons and poll, on each database:
 *
 *     node bench/device-polling.ts [--devices 10000] [--database sqlite,postgresql]
 *
 * Each device polls once and is told to wait; then some poll again at once and are told to slow down. Every five seconds all
 * of them come, so that a server has to answer a fifth of their number in a second.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installCleanup } from './cleanup.ts'
import type { Database } from './database.ts'
import { startLatchkey } from './latchkey.ts'
import { runLoad, type Stream } from './load.ts'
import { parameters } from './parameters.ts'
import { readUsage } from './process-usage.ts'
import { basicAuthorization, postRequest } from './requests.ts'
import type { Running, Target } from './target.ts'

const longestSeconds = 120
/** The last of them come back within the five seconds that they should wait. */
const hastyShare = 10
const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** Asks for a code for each device, a few at a time. */
async function waitingDevices({ issuer, web }: Target, count: number): Promise<readonly string[]> {
  const headers = { authorization: basicAuthorization(web) }
  const codes: string[] = []
  let asked = 0
  async function ask(): Promise<void> {
    while (asked < count) {
      asked += 1
      const body = new URLSearchParams({ scope: 'openid' })
      const response = await fetch(`${issuer}/device/auth`, { method: 'POST', headers, body })
      if (response.status !== 200) throw new Error(`No code: ${response.status} ${await response.text()}`)
      codes.push(((await response.json()) as { device_code: string }).device_code)
    }
  }
  await Promise.all(Array.from({ length: parameters.connections }, ask))
  return codes
}

/** Each device once, as fast as the server answers. */
function polling(target: Target, codes: readonly string[], expected: string): Stream {
  const post = postRequest(target.endpoints.token_endpoint, { authorization: basicAuthorization(target.web) })
  const requests = codes.map((device_code) => post({ grant_type: grantType, device_code })).values()
  return {
    origin: target.issuer,
    connections: parameters.connections,
    next: () => requests.next().value,
    expected: { status: 400, text: expected },
  }
}

async function measure(running: Running, codes: readonly string[], expected: string) {
  const before = readUsage(running.pid)
  const measured = await runLoad(polling(running.target, codes, expected), longestSeconds)
  const after = readUsage(running.pid)
  const { rps, p50Ms, p99Ms, maxMs, requests, failures, firstFailure } = measured
  return {
    server: running.target.name,
    answer: expected,
    requests,
    failures,
    ...(firstFailure !== undefined && { firstFailure }),
    pollsPerSecond: Math.round(rps),
    p50Ms: round(p50Ms),
    p99Ms: round(p99Ms),
    maxMs: round(maxMs),
    ...(before &&
      after && {
        cpuUsPerPoll: Math.round((after.cpuUs - before.cpuUs) / Math.max(1, requests)),
        rssMb: Math.round(after.rssMb),
      }),
  }
}

const round = (value: number): number => Math.round(value * 10) / 10

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '10000' },
    database: { type: 'string', default: 'sqlite,postgresql' },
  },
})
const cleanup = installCleanup(900)
try {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  cleanup.onExit(() => rmSync(folder, { recursive: true, force: true }))
  for (const database of values.database.split(',') as Database[]) {
    const running = await startLatchkey({ database, folder, starts: 1, cleanup })
    const codes = await waitingDevices(running.target, Number(values.devices))
    const patient = await measure(running, codes, '"authorization_pending"')
    const hasty = await measure(running, codes.slice(-codes.length / hastyShare), '"slow_down"')
    for (const measured of [patient, hasty]) process.stdout.write(`${JSON.stringify(measured)}\n`)
    await running.stop()
  }
} finally {
  await cleanup.run()
}
