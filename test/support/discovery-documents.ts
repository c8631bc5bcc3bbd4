/**
 * What servers of each mode say of themselves: the answers of real servers over one database, whose keys are made once.
 * docs/discovery/ holds them; docs/discovery.md tells what each is for.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { openApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import { openLog } from '../../src/host/log.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { serve } from '../../src/serve.ts'

interface Mode {
  /** Of its file. */
  readonly name: string
  readonly text: string
  readonly environment: Readonly<Record<string, string>>
}

const issuer = 'https://id.example.com'

const certificates = {
  LATCHKEY_MTLS_URL: 'https://mtls.id.example.com',
  LATCHKEY_HOST_TRUSTED_PROXIES: '127.0.0.1',
  LATCHKEY_MTLS_CERTIFICATE_HEADER: 'X-Client-Cert',
  LATCHKEY_MTLS_CERTIFICATE_FORMAT: 'pem',
  LATCHKEY_MTLS_VERDICT_HEADER: 'X-Client-Verify',
}

/** The first is what the others are compared with. */
const modes: readonly [Mode, ...Mode[]] = [
  { name: 'default', text: 'What holds when nothing but the issuer is said', environment: {} },
  {
    name: 'legacy',
    text: 'Clients may have the [profile](security-profiles.md) `legacy`, and those of `fapi-1-advanced` the response type `code id_token`',
    environment: { LATCHKEY_CLIENTS_ALLOW_LEGACY: 'true', LATCHKEY_CLIENTS_ALLOW_HYBRID: 'true' },
  },
  {
    name: 'certificates',
    text: 'Clients are asked for [certificates](mtls.md) at a host of their own',
    environment: certificates,
  },
  {
    name: 'registration',
    text: 'Clients [register themselves](registration.md) or are described by a document',
    environment: {
      LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
      LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENTS: 'any',
    },
  },
  {
    name: 'path',
    text: 'Below a path, where RFC 8414 §3 and OpenID Connect Discovery 1.0 §4 put the document in different places',
    environment: { LATCHKEY_ISSUER: `${issuer}/tenant` },
  },
]

type Metadata = Readonly<Record<string, unknown>>

/** docs/discovery/<mode>.json */
export async function discoveryDocument(mode: string): Promise<string> {
  const document = (await documents()).get(mode)
  if (document === undefined) throw new Error(`There is no mode ${mode}.`)
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** docs/discovery.md */
export async function discoveryPage(): Promise<string> {
  const all = await documents()
  const [first, ...others] = modes
  const of = ({ name }: Mode): Metadata => all.get(name) ?? {}
  const chapters = others.map((mode) => [
    `## ${mode.name}`,
    `${mode.text}. All of it: [${mode.name}.json](discovery/${mode.name}.json).`,
    block('sh', Object.entries(mode.environment).map(assignment)),
    'What differs from the default:',
    block('diff', differences(of(first), of(mode))),
  ])
  return `${[
    '# Discovery documents',
    'What a server says of itself at `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0) and, with the same words, at `/.well-known/oauth-authorization-server` (RFC 8414). These are the answers of servers that were started with the settings shown. Written by `npm run docs`.',
    `A server that was given \`LATCHKEY_ISSUER=${issuer}\` and nothing else: [default.json](discovery/default.json).`,
    ...chapters.flat(),
  ].join('\n\n')}\n`
}

const assignment = ([name, value]: readonly [string, string]): string => `${name}=${value}`
const block = (language: string, lines: readonly string[]): string =>
  [`\`\`\`${language}`, ...lines, '```'].join('\n')

/** A line for each member that is not the same, as it was and as it is. */
function differences(before: Metadata, after: Metadata): readonly string[] {
  const line = (sign: string, name: string, value: unknown): readonly string[] =>
    value === undefined ? [] : [`${sign} "${name}": ${JSON.stringify(value)}`]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .flatMap((name) => [...line('-', name, before[name]), ...line('+', name, after[name])])
}

let read: Promise<ReadonlyMap<string, Metadata>> | undefined

/** Each by its mode; read once for all that ask. */
function documents(): Promise<ReadonlyMap<string, Metadata>> {
  read ??= readAll()
  return read
}

async function readAll(): Promise<ReadonlyMap<string, Metadata>> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-discovery-'))
  try {
    const found = new Map<string, Metadata>()
    for (const { name, environment } of modes)
      found.set(name, await answerOf({ ...ground(folder), ...environment }))
    return found
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const ground = (folder: string) => ({
  LATCHKEY_ISSUER: issuer,
  DATABASE_URL: `file:${join(folder, 'latchkey.db')}`,
  LATCHKEY_DATA_FOLDER: folder,
  LATCHKEY_MASTER_KEY: Buffer.alloc(32, 1).toString('base64url'),
  LATCHKEY_LISTEN_ADDRESS: '127.0.0.1',
  PORT: '0',
})

async function answerOf(environment: Readonly<Record<string, string>>): Promise<Metadata> {
  const config = readConfig(environment)
  const { log } = await openLog({ level: 'silent', format: 'json' })
  const app = await openApp({ config, clock: systemClock, log })
  try {
    // All keys, of which the documents name the algorithms; a server makes the last of them soon after its first start.
    await app.features.signingKeys.keys.snapshot()
    for (const job of app.features.signingKeys.jobs ?? []) await job.run()
    const server = await serve(app)
    try {
      return await fetchDocument(server.port, new URL(config.issuer))
    } finally {
      await server.stop()
    }
  } finally {
    await app.close()
  }
}

/** As a proxy passes it on, which `fetch` cannot: it names the host by itself. */
function fetchDocument(port: number, { host, pathname }: URL): Promise<Metadata> {
  const base = pathname === '/' ? '' : pathname
  const path = `${base}/.well-known/openid-configuration`
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      if (response.statusCode === 200) json(response).then((body) => resolve(body as Metadata), reject)
      else reject(new Error(`${path} was answered with ${response.statusCode}.`))
    }).on('error', reject)
  })
}
