/** The server: the host's layers, the pages and the protocol over an open app, listening. */
import type { Middleware } from 'koa'
import type { App } from './app.ts'
import { brandOf } from './brand-of.ts'
import { listenAddress } from './config/listen-address.ts'
import type { Job } from './features/feature.ts'
import { addressKey } from './features/throttle/index.ts'
import { accessLog } from './host/access-log.ts'
import { trustedProxies } from './host/address.ts'
import { basePath, basePathOf } from './host/base-path.ts'
import { certificateHeaders, clientCertificate } from './host/client-certificate.ts'
import { errorRenderer } from './host/errors.ts'
import { hostCheck, requestFacts, uploadAllowance, wellFormed } from './host/gate.ts'
import { securityHeaders } from './host/headers.ts'
import { health } from './host/health.ts'
import { type JobRunner, runJobs } from './host/jobs.ts'
import { credentialLimit } from './host/limits.ts'
import { openCertificateDoor } from './host/mtls.ts'
import { publicDocuments } from './host/public-documents.ts'
import { type Listener, type Listening, listen } from './host/server.ts'
import { openTls, type Tls } from './host/tls.ts'
import { pagePorts, panelsOf } from './page-ports.ts'
import { openRenderers, openViews, pageRoutes, uploadBytes } from './pages/index.ts'
import { certificateEndpoints, endpointsShowingPages, openProvider } from './provider/index.ts'
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
  const { config, log, storage, sealing } = app
  const issuer = new URL(config.issuer)
  const views = openViews(brandOf(config), basePathOf(issuer))
  const renderers = openRenderers({ views, issuer, csrfKey: sealing.derive('csrf') })
  const { issuer: name, provider: settings } = config
  const provider = openProvider({ ...app, issuer: name, settings, ports: providerPorts(app, renderers) })
  app.features.approvals.connect({
    ...provider.backchannel,
    provePath: (level, returnTo) => provider.signInPath({ level, returnTo }),
  })
  const pages = pagePorts(app, { provider, issuer, sampleUrl, views })
  let draining = false
  const { tls, door, gate, ofClients } = openDoors(app, issuer)
  // The one ordered table of what every request passes, first to last; the protocol stands behind it.
  const layers = (documents: Middleware): readonly Middleware[] => [
    requestFacts(gate),
    clientCertificate(ofClients),
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
  const listening = await listenAt(await provider.start(layers), { config, tls, door })
  const jobs = startJobs(app, provider.jobs)
  app.features.outbox.worker.start()
  return {
    port: listening[0].port,
    async stop() {
      draining = true
      tls?.stop()
      const grace = config.host.shutdownSeconds
      const drained = listening.map((each) => each.drain(grace))
      await Promise.all([...drained, jobs.stop(), app.features.outbox.worker.stop(grace)])
    },
  }
}

const startJobs = ({ all, storage, clock, log }: App, ofProvider: readonly Job[]): JobRunner =>
  runJobs([...all.flatMap((feature) => feature.jobs ?? []), ...ofProvider], {
    leases: openLeases(storage, clock),
    log,
  })

/** Where requests come in, and what is believed of who sends them. */
function openDoors({ config, clock, log }: App, issuer: URL) {
  const isTrusted = trustedProxies(config.host.trustedProxies)
  const tls = openTls(config.tls, { clock, log, hosts: hostsOf(config) })
  const door = openCertificateDoor({
    ...config.mtls,
    issuer,
    hasTls: tls !== undefined,
    endpoints: Object.values(certificateEndpoints),
    showingPages: endpointsShowingPages,
  })
  const gate = { issuer, isTrusted, door }
  const ofClients = {
    headers: certificateHeaders(config.mtls),
    hasAuthorities: tls?.hasAuthorities ?? false,
    isTrusted,
    onlyHost: door?.url.host,
    clock,
  }
  return { tls, door, gate, ofClients }
}

interface Doors {
  readonly config: App['config']
  readonly tls: Tls | undefined
  readonly door: ReturnType<typeof openCertificateDoor>
}

/** The server's port, and one more where clients are asked for certificates by this server itself. */
async function listenAt(
  handler: Listener,
  { config, tls, door }: Doors,
): Promise<[Listening, ...Listening[]]> {
  const address = listenAddress(config)
  try {
    const first = await listen(handler, { port: config.server.port, address, tls })
    if (door?.own === undefined) return [first]
    const asking = { port: door.own.port, address, tls, asksForCertificates: true }
    const second = await listen(door.arriving(handler), asking).catch(async (error) => {
      await first.drain(0)
      throw error
    })
    return [first, second]
  } catch (error) {
    tls?.stop()
    throw error
  }
}

const hostsOf = ({ issuer, mtls }: App['config']): readonly string[] => [
  ...new Set([issuer, ...(mtls.url === undefined ? [] : [mtls.url])].map((url) => new URL(url).hostname)),
]

/** What a host has in one place for all that live on it, and what load balancers ask. */
const rootPaths = (features: App['all']): ReadonlySet<string> =>
  new Set([
    '/health/live',
    '/health/ready',
    ...features.flatMap(({ documents = [] }) => documents.map(({ path }) => path)),
  ])
