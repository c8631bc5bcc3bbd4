/**
 * Tokens for tokens (RFC 8693), on each database: a JWT access token of a person is exchanged for another one that tells
 * who acts.
 *
 *     node bench/token-exchange.ts [--seconds 10] [--database sqlite,postgresql]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { createBrowser, pkce } from './browser.ts'
import { freePort, runToEnd, serve } from './child.ts'
import { type Cleanup, installCleanup } from './cleanup.ts'
import { type Database, openDatabase } from './database.ts'
import { codeForm } from './flows.ts'
import { runLoad, type Stream } from './load.ts'
import { parameters } from './parameters.ts'
import { readUsage } from './process-usage.ts'
import { basicAuthorization, postRequest } from './requests.ts'
import { seed } from './seed.ts'
import { type Credentials, discover, type Endpoints } from './target.ts'

const launcher = fileURLToPath(new URL('../src/launch.mjs', import.meta.url))
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const api = parameters.apis.es256

interface Running {
  readonly endpoints: Endpoints
  readonly issuer: string
  readonly pid: number
  readonly exchanger: Credentials
  stop(): Promise<void>
}

/** A server with a client that people sign in to, and that exchanges what it gets. */
async function start(database: Database, folder: string, cleanup: Cleanup): Promise<Running> {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const env = {
    PORT: String(port),
    LATCHKEY_ISSUER: issuer,
    LATCHKEY_DATA_FOLDER: `${folder}/${database}/data`,
    LATCHKEY_KEY_FOLDER: `${folder}/${database}/keys`,
    ...(await openDatabase(database, cleanup)),
  }
  const latchkey = (args: readonly string[], input?: string) =>
    runToEnd({ args: [launcher, ...args], env, input, cleanup })
  const logFile = `${folder}/${database}.log`
  const served = await serve({ args: [launcher, 'serve'], issuer, env, logFile, cleanup })
  await seed(latchkey)
  const exchanger = await createExchanger(latchkey)
  return { endpoints: await discover(issuer), issuer, pid: served.pid, exchanger, stop: served.stop }
}

const created = z.object({ item: z.object({ id: z.string() }), reveals: z.object({ secret: z.string() }) })

async function createExchanger(latchkey: (args: readonly string[]) => Promise<string>): Promise<Credentials> {
  const flags = [
    ...['--kind', 'web', '--name', 'Exchanger', '--first-party', '--redirect-uri', parameters.redirectUri],
    ...['openid', parameters.apiScope].flatMap((scope) => ['--scope', scope]),
    ...['authorization_code', grantType].flatMap((name) => ['--grant-type', name]),
    ...['--token-exchange', JSON.stringify({ modes: ['delegate'], audiences: [api] })],
  ]
  const { item, reveals } = created.parse(
    JSON.parse(await latchkey(['clients', 'create', '--json', ...flags])),
  )
  return { id: item.id, secret: reveals.secret }
}

/** An access token of the seeded person for the API. */
async function subjectToken({ endpoints, exchanger }: Running): Promise<string> {
  const request = new URLSearchParams({
    client_id: exchanger.id,
    response_type: 'code',
    redirect_uri: parameters.redirectUri,
    scope: `openid ${parameters.apiScope}`,
    resource: api,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
  })
  const browser = createBrowser()
  const url = `${endpoints.authorization_endpoint}?${request}`
  const form = await browser.open(url, parameters.redirectUri)
  if (form.kind !== 'page') throw new Error(`No sign-in page at ${url}.`)
  const { identifier, password } = parameters.user
  const landing = await browser.submit(form.page, { identifier, password }, parameters.redirectUri)
  const code = landing.kind === 'left' ? landing.url.searchParams.get('code') : null
  if (code === null) throw new Error('The sign-in did not end with a code.')
  const response = await fetch(endpoints.token_endpoint, {
    method: 'POST',
    headers: { authorization: basicAuthorization(exchanger) },
    body: new URLSearchParams({ ...codeForm(code), resource: api }),
  })
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token
}

function exchanges({ issuer, endpoints, exchanger }: Running, token: string): Stream {
  const post = postRequest(endpoints.token_endpoint, { authorization: basicAuthorization(exchanger) })
  const request = post({
    grant_type: grantType,
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: api,
  })
  return {
    origin: issuer,
    connections: parameters.connections,
    next: () => request,
    expected: { status: 200, text: '"issued_token_type":' },
  }
}

const round = (value: number): number => Math.round(value * 10) / 10

async function measure(database: Database, running: Running, seconds: number) {
  const stream = exchanges(running, await subjectToken(running))
  await runLoad(stream, 2)
  const before = readUsage(running.pid)
  const measured = await runLoad(stream, seconds)
  const after = readUsage(running.pid)
  return {
    database,
    requests: measured.requests,
    failures: measured.failures,
    ...(measured.firstFailure !== undefined && { firstFailure: measured.firstFailure }),
    exchangesPerSecond: Math.round(measured.rps),
    p50Ms: round(measured.p50Ms),
    p99Ms: round(measured.p99Ms),
    cpuUsPerExchange:
      before && after && Math.round((after.cpuUs - before.cpuUs) / Math.max(1, measured.requests)),
  }
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    database: { type: 'string', default: 'sqlite,postgresql' },
  },
})
const cleanup = installCleanup(600)
try {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  cleanup.onExit(() => rmSync(folder, { recursive: true, force: true }))
  for (const database of values.database.split(',') as Database[]) {
    const running = await start(database, folder, cleanup)
    process.stdout.write(`${JSON.stringify(await measure(database, running, Number(values.seconds)))}\n`)
    await running.stop()
  }
} finally {
  await cleanup.run()
}
