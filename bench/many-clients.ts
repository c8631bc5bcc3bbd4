/**
 * A server with ten thousand clients, all of them at work, beside one with ten, on each database. It should be no slower:
 *
 *     node bench/many-clients.ts [--clients 10000] [--database sqlite|postgresql|both] [--quick] [--rounds 9] [--scenario name]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installCleanup } from './cleanup.ts'
import { codeForm, openRequest, signIn } from './flows.ts'
import { startLatchkey } from './latchkey.ts'
import { runLoad, type Stream } from './load.ts'
import { machine } from './machine.ts'
import { createContender, measureInTurn } from './measure.ts'
import { databasesOf } from './options.ts'
import { parameters } from './parameters.ts'
import { readUsage } from './process-usage.ts'
import { registerMeanwhile } from './registration.ts'
import { report } from './report.ts'
import { basicAuthorization, getRequest, postRequest } from './requests.ts'
import { toRows } from './results.ts'
import type { Scenario } from './scenarios.ts'
import type { Credentials, Target } from './target.ts'

const few = 10
const warmUpSeconds = 60
const registrationsPerSecond = 20

const scenarios: readonly Scenario[] = [
  { name: 'client-credentials-es256', goal: 0.95, prepare: ({ target }) => credentialsOfAll(target) },
  { name: 'code-exchange', goal: 0.95, prepare: ({ target }, seconds) => exchangesOfAll(target, seconds) },
  // The last, as they leave their clients behind.
  { name: 'while-clients-register', goal: 0.95, prepare: besideNewClients(false) },
  { name: 'while-clients-change', goal: 0.95, prepare: besideNewClients(true) },
]

const turns = new WeakMap<Target, number>()

/** The clients one after the other, so that one which just came comes last of all. */
function nextClient(target: Target): Credentials {
  const { crowd = [] } = target
  const turn = turns.get(target) ?? 0
  turns.set(target, turn + 1)
  const client = crowd[turn % crowd.length]
  if (client === undefined) throw new Error(`${target.name} has no clients`)
  return client
}

const asking = ({ endpoints }: Target, client: Credentials, form: Readonly<Record<string, string>>): Buffer =>
  postRequest(endpoints.token_endpoint, { authorization: basicAuthorization(client) })(form)

function credentialsOfAll(target: Target): Stream {
  const form = {
    grant_type: 'client_credentials',
    resource: target.apis.es256,
    scope: parameters.apiScope,
  }
  return {
    origin: target.issuer,
    connections: parameters.connections,
    next: () => asking(target, nextClient(target), form),
    expected: { status: 200, text: '"access_token":"ey' },
  }
}

/** The same while other clients come, and change their registration. */
function besideNewClients(changing: boolean): Scenario['prepare'] {
  return async ({ target }, seconds) => {
    await registerMeanwhile(target, { perSecond: registrationsPerSecond, seconds, changing })
    return credentialsOfAll(target)
  }
}

/** Browsers of this window alone: a session remembers every client that it was used for, and would grow from window to window. */
async function exchangesOfAll(target: Target, seconds: number): Promise<Stream> {
  const browsers = await Promise.all(Array.from({ length: parameters.connections }, () => signIn(target)))
  const asked = new Map<string, Credentials>()
  const redeemed: Buffer[] = []
  await runLoad(
    {
      origin: target.issuer,
      connections: browsers.length,
      next(connection) {
        const client = nextClient(target)
        const { url, state } = openRequest(target, client)
        asked.set(state, client)
        return getRequest(url, { cookie: browsers[connection]?.cookiesFor(url) ?? '' })
      },
      expected: { status: 303, text: `ocation: ${parameters.redirectUri}?code=` },
      answered({ head }) {
        const location = new URL(/\r\nlocation: *(\S+)/i.exec(head)?.[1] ?? target.issuer).searchParams
        const client = asked.get(location.get('state') ?? '')
        if (client) redeemed.push(asking(target, client, codeForm(location.get('code') ?? '')))
      },
    },
    seconds,
  )
  const requests = redeemed.values()
  return {
    origin: target.issuer,
    connections: parameters.connections,
    next: () => requests.next().value,
    expected: { status: 200, text: '"id_token":' },
  }
}

/** Each client once, so that what is measured is not its first request. */
async function warmUp(target: Target): Promise<void> {
  let left = target.crowd?.length ?? 0
  const stream = credentialsOfAll(target)
  const next: Stream['next'] = (connection) => (left-- > 0 ? stream.next(connection) : undefined)
  const { failures, firstFailure } = await runLoad({ ...stream, next }, warmUpSeconds)
  if (failures > 0) throw new Error(`${target.name}: ${firstFailure}`)
}

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '10000' },
    database: { type: 'string', default: 'both' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '9' },
    scenario: { type: 'string', multiple: true },
  },
})
const windows = values.quick ? { seconds: 0.5, warmUpSeconds: 0.5 } : { seconds: 1, warmUpSeconds: 1.5 }
const rounds = Number(values.rounds)
const cleanup = installCleanup(1800)
try {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  cleanup.onExit(() => rmSync(folder, { recursive: true, force: true }))
  for (const database of databasesOf(values.database)) {
    const contenders = []
    for (const crowd of [few, Number(values.clients)]) {
      const running = await startLatchkey({ database, folder, starts: 1, cleanup, crowd })
      cleanup.onEnd(running.stop)
      contenders.push(createContender(running))
      await warmUp(running.target)
    }
    const rows = []
    for (const scenario of scenarios.filter(({ name }) => values.scenario?.includes(name) ?? true))
      rows.push(...toRows(scenario, await measureInTurn(contenders, scenario, { ...windows, rounds })))
    const processes = contenders.map(({ target, running }) => ({
      contender: target.name,
      coldStartsMs: running.coldStartsMs,
      peakMb: readUsage(running.pid)?.peakRssMb,
    }))
    const judged = contenders.slice(1).map(({ target }) => target.name)
    const options = { seconds: windows.seconds, rounds, connections: parameters.connections }
    const results = { machine: machine(), options, rows, storms: [], processes, judged, remarks: [] }
    process.stdout.write(`\n${report(results, `the server with ${few} clients`)}\n`)
    for (const { running } of contenders) await running.stop()
  }
} finally {
  await cleanup.run()
}
