/** A proxy with its files in a folder of its own, Latchkey behind it, and the whole trial. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { type Authority, type Issued, newAuthority } from '../../test/support/certificates.ts'
import { freePort } from '../child.ts'
import type { Cleanup } from '../cleanup.ts'
import { openBehind, type Ports } from './behind.ts'
import { blockOf, type Place, settingsIn } from './documented.ts'
import type { Ground, Started } from './ground.ts'
import { tryPeople } from './proxy-people.ts'
import { type Trial, tryCertificates } from './proxy-trial.ts'

export interface Site extends Ports {
  readonly folder: string
  /** Writes a file into the folder; returns its path. */
  write(name: string, text: string): string
}

export interface Beginning {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly version: string
  /** The authority of the certificates that the proxy makes for itself, where it does; read when it answers. */
  readonly ownAuthority?: () => string
}

export interface Recipe {
  /** Where the settings of Latchkey stand that go with it, besides those that go with all. */
  readonly settings: Place
  /** What this trial sets besides or otherwise. */
  readonly moreSettings?: Readonly<Record<string, string>>
  /** How it writes a certificate into its header. */
  readonly write: (certificate: Issued) => string
  readonly ways: Trial['ways']
  /** Writes its configuration. @throws NotHere */
  begin(site: Site): Beginning
  /** What is to be seen with this one alone. */
  readonly also?: (trial: Trial) => Promise<void>
}

/** For all of those in one document; those of the one proxy stand in a block of their own. */
const common = () => settingsIn(blockOf({ document: 'proxies.md', heading: '# Proxies', language: 'sh' }))
/** More wrong guesses than anybody has at home. */
const guessing = { LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000' }

export const behindProxy =
  (recipe: Recipe) =>
  async (ground: Ground, cleanup: Cleanup): Promise<string> => {
    const settings = { ...common(), ...settingsIn(blockOf(recipe.settings)), ...recipe.moreSettings }
    const ports = { port: await freePort(), proxyPort: await freePort() }
    const { site, authority } = await siteOf(ground, ports)
    const { program, args, env, version, ownAuthority } = recipe.begin(site)
    const behind = await openBehind(ground, cleanup, { settings: { ...settings, ...guessing }, ...ports })
    const server = ground.start(program, args, { ...(env && { env }) })
    await listens(server, behind.proxyPort)
    const ofProxy = ownAuthority === undefined ? authority : { cert: ownAuthority() }
    const headers = {
      certificate: settings.LATCHKEY_MTLS_CERTIFICATE_HEADER ?? '',
      verdict: {
        name: settings.LATCHKEY_MTLS_VERDICT_HEADER ?? 'X-Client-Verify',
        value: settings.LATCHKEY_MTLS_VERDICT_VALUE ?? 'SUCCESS',
      },
      write: recipe.write,
    }
    const trial: Trial = { behind, authority, ofProxy, headers, ways: recipe.ways }
    await tryCertificates(trial)
    await tryPeople(trial)
    await recipe.also?.(trial)
    server.stop()
    await behind.stop()
    return version
  }

const hosts = ['id.example.com', 'mtls.id.example.com', 'example.com', 'mtls.example.com']

async function siteOf(
  { folder: whole }: Ground,
  { port, proxyPort }: Ports,
): Promise<{ readonly site: Site; readonly authority: Authority }> {
  const folder = `${whole}/proxy-${proxyPort}`
  mkdirSync(folder)
  const authority = await newAuthority('Example client CA')
  const { cert, key } = await authority.issue({
    subject: 'CN=id.example.com',
    names: hosts.map((value) => ({ type: 'dns', value })),
  })
  const write = (name: string, text: string): string => {
    writeFileSync(`${folder}/${name}`, text)
    return `${folder}/${name}`
  }
  write('server.pem', cert)
  write('server.key', key)
  write('both.pem', cert + key)
  write('ca.pem', authority.cert)
  return { site: { folder, port, proxyPort, write }, authority }
}

/** @throws with its output when it ends before, or takes more than half a minute */
async function listens(server: Started, port: number): Promise<void> {
  let over = false
  void server.ended.then(() => {
    over = true
  })
  for (let tries = 0; tries < 600 && !over; tries += 1) {
    if (await greets(port)) return
    await pause(50)
  }
  throw new Error(`the proxy does not listen: ${server.output().slice(-2000)}`)
}

/** Whether there is a certificate for each of the hosts; a proxy that makes its own takes a moment. */
const greets = async (port: number): Promise<boolean> => {
  const greetings = hosts.slice(0, 2).map((servername) => handshake(port, servername))
  return (await Promise.all(greetings)).every((greeting) => greeting)
}

const handshake = (port: number, servername: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
    socket.once('error', () => resolve(false))
    socket.once('secureConnect', () => {
      resolve(true)
      socket.destroy()
    })
  })
