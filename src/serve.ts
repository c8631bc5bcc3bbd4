/** The server: the host's layers, the pages and the protocol over an open app, listening. */
import type { Middleware } from 'koa'
import type { App } from './app.ts'
import { brandOf } from './brand-of.ts'
import { listenAddress } from './config/listen-address.ts'
import { addressKey } from './features/throttle/index.ts'
import { accessLog } from './host/access-log.ts'
import { trustedProxies } from './host/address.ts'
import { basePath, basePathOf } from './host/base-path.ts'
import { errorRenderer } from './host/errors.ts'
import { hostCheck, requestFacts, uploadAllowance, wellFormed } from './host/gate.ts'
import { securityHeaders } from './host/headers.ts'
import { health } from './host/health.ts'
import { type JobRunner, runJobs } from './host/jobs.ts'
import { credentialLimit } from './host/limits.ts'
import { publicDocuments } from './host/public-documents.ts'
import { listen } from './host/server.ts'
import { pagePorts, panelsOf } from './page-ports.ts'
import { openRenderers, openViews, pageRoutes, uploadBytes } from './pages/index.ts'
import { openProvider } from './provider/index.ts'
import { providerPorts } from './provider-ports.ts'
import { unavailable } from './storage/errors.ts'
import { openLeases } from './storage/leases.ts'

export interface Server {
  readonly port: number
  /** Stops accepting, lets what is under way finish, stops the jobs. The app stays open. */
  stop(): Promise<void>
}

export interface ServeOptions {
  readonly sampleUrl?: string | undefined
}

export async function serve(app: App, { sampleUrl }: ServeOptions = {}): Promise<Server> {
  const { config, log, clock, storage, sealing } = app
  const issuer = new URL(config.issuer)
  const views = openViews(brandOf(config), basePathOf(issuer))
  const renderers = openRenderers({ views, issuer, csrfKey: sealing.derive('csrf') })
  const provider = openProvider({
    ...app,
    issuer: config.issuer,
    settings: config.provider,
    ports: providerPorts(app, renderers),
  })
  const pages = pagePorts(app, { provider, issuer, sampleUrl, views })
  let draining = false
  const gate = { issuer, isTrusted: trustedProxies(config.host.trustedProxies) }

  // The one ordered table of what every request passes, first to last; the protocol stands behind it.
  const layers = (documents: Middleware): readonly Middleware[] => [
    requestFacts(gate),
    accessLog(log),
    securityHeaders(issuer),
    errorRenderer({ log, unavailable, page: renderers.error }),
    hostCheck(gate),
    basePath(issuer, rootPaths(app.all)),
    documents,
    publicDocuments(app.all),
    health({ ping: storage.ping, draining: () => draining }),
    uploadAllowance(uploadBytes(panelsOf(app.all))),
    wellFormed,
    credentialLimit({ failuresPerMinute: config.host.failuresPerMinute, keyOf: addressKey }),
    pageRoutes(pages, renderers),
  ]
  const listening = await listen(await provider.start(layers), {
    port: config.server.port,
    address: listenAddress(config),
  })
  const jobs: JobRunner = runJobs([...app.all.flatMap((feature) => feature.jobs ?? []), ...provider.jobs], {
    leases: openLeases(storage, clock),
    log,
  })
  app.features.outbox.worker.start()

  return {
    port: listening.port,
    async stop() {
      draining = true
      const grace = config.host.shutdownSeconds
      await Promise.all([listening.drain(grace), jobs.stop(), app.features.outbox.worker.stop(grace)])
    },
  }
}

/** What a host has in one place for all that live on it, and what load balancers ask. */
const rootPaths = (features: App['all']): ReadonlySet<string> =>
  new Set([
    '/health/live',
    '/health/ready',
    ...features.flatMap(({ documents = [] }) => documents.map(({ path }) => path)),
  ])
