/** The server as a process: open, say where it is, serve until told to stop, and stop without dropping what is under way. */
import { flushCompileCache } from 'node:module'
import { constants } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type App, openApp } from './app.ts'
import { type Environment, readConfig } from './config/config.ts'
import { servesThisMachineAlone } from './config/listen-address.ts'
import { openLog } from './host/log.ts'
import { systemClock } from './kernel/clock.ts'
import { removeSample, type SampleApplication, sampleUrl, startSample } from './sample.ts'
import { serve } from './serve.ts'

export interface Terminal {
  write(text: string): unknown
}

/** Resolves when the server has stopped after SIGTERM or SIGINT. Throws what keeps it from starting. */
export async function runServer(environment: Environment, output: Terminal): Promise<void> {
  const config = readConfig(environment)
  const { log, flush } = await openLog({
    level: levelOf(config, environment),
    format: config.server.logFormat,
  })
  const app = await openApp({ config, clock: systemClock, log })
  const { samplePort } = config.server
  const hasSample = config.development && samplePort !== 0
  try {
    if (!config.development) await removeSample(app)
    const server = await serve(app, { sampleUrl: hasSample ? sampleUrl(samplePort) : undefined })
    const sample = hasSample ? await startSample(app).catch(withoutSample(app)) : undefined
    // Whoever reads the greeting may tell it to stop at once.
    const stopped = stopSignal()
    output.write(await greeting(app, sample))
    log.info({ port: server.port, issuer: config.issuer }, 'listening')
    setTimeout(releaseMemory, 1_000).unref()
    await stopped
    await Promise.all([server.stop(), sample?.stop()])
  } finally {
    await app.close()
    flush()
  }
}

/** At a developer's terminal every request's line would push the set-up link out of sight, unless lines are asked for. */
function levelOf({ development, server }: App['config'], environment: Environment): typeof server.logLevel {
  const asked = environment.LATCHKEY_LOG_LEVEL !== undefined
  return development && process.stdout.isTTY && !asked ? 'warn' : server.logLevel
}

const withoutSample =
  ({ log }: App) =>
  (error: unknown): undefined => {
    log.warn({ err: error }, 'the sample application did not start')
  }

async function greeting(
  { config, features, storage }: App,
  sample: SampleApplication | undefined,
): Promise<string> {
  const rows: [string, string][] = [['Sign in', `${config.issuer}/`]]
  const { setup } = features.setup
  if (await setup.isNeeded()) {
    const { url, expiresAt } = await setup.issueLink()
    rows.unshift(
      ['Set up', url],
      [
        '',
        `opens once, until ${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC; a new one: npx latchkey setup link`,
      ],
    )
  }
  if (sample !== undefined) rows.push(['Sample app', sample.url])
  if (features.mail.inbox !== undefined) rows.push(['Mails', `${config.issuer}/inbox`])
  rows.push(['Database', storage.dialect === 'sqlite' ? 'SQLite' : 'PostgreSQL'])
  const lines = rows.map(([label, text]) => `  ${label.padEnd(12)}${text}`)
  const reach = servesThisMachineAlone(config) ? 'this machine only' : 'every machine that reaches it'
  const mode = config.development ? `in development mode, for ${reach}` : 'is ready'
  return `\nLatchkey ${mode}\n\n${lines.join('\n')}\n\n`
}

/** Resolves at the first signal; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(128 + constants.signals[signal]))
        resolve()
      })
    }
  })
}

/**
 * Starting leaves garbage of some tens of megabytes that V8 would keep until it needs the room, and some that Node's cache
 * of compiled modules holds until it is written.
 */
function releaseMemory(): void {
  flushCompileCache()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: {
    type: 'major'
    execution: 'sync'
    flavor: 'last-resort'
  }) => void
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
