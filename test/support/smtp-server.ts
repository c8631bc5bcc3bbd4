/**
 * A mail server on this machine that keeps what it is sent, and behaves as badly as it is told to.
 *
 *     await using server = await startSmtpServer({ user: 'latchkey', password: 'secret' })
 *     const [mail] = server.received
 */
import { EventEmitter, once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** Of `mail.example.test` and 0.0.0.0, signed by itself and good for nothing else. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBtDCCAVmgAwIBAgIUI8s8CNosUrtGcPFfStxToKKCsHwwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRbWFpbC5leGFtcGxlLnRlc3QwIBcNMjYxMTIyMjEzMjQxWhgP
MjEyNjEwMjkyMTMyNDFaMBwxGjAYBgNVBAMMEW1haWwuZXhhbXBsZS50ZXN0MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtnDlR9od6waErLe/VW9/HXa1yOiKKT3n
B/g/qoOAiSM+JwnnShfh+JYkh9KxUfYWg5NfM+tE0q7luWvmv7cZTqN3MHUwHQYD
VR0OBBYEFHdiOfN6m9Bq3SD6IhH+8wvOJ3GnMB8GA1UdIwQYMBaAFHdiOfN6m9Bq
3SD6IhH+8wvOJ3GnMA8GA1UdEwEB/wQFMAMBAf8wIgYDVR0RBBswGYIRbWFpbC5l
eGFtcGxlLnRlc3SHBAAAAAAwCgYIKoZIzj0EAwIDSQAwRgIhANF8R4rn+a9xZPjt
jCUMGCuzj+/Jvad7H/85jhRHIKvTAiEArWzCOpgrYElGBYVvLPJCky9mG0YintaT
2YLcDiEHceQ=
-----END CERTIFICATE-----
`
const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMP4AFpPkpowkyFvM
gEcplQzxWg677yIu1F64hvGNEPqhRANCAAS2cOVH2h3rBoSst79Vb38ddrXI6Iop
PecH+D+qg4CJIz4nCedKF+H4liSH0rFR9haDk18z60TSruW5a+a/txlO
-----END PRIVATE KEY-----
`

/** An address that leads to this machine without saying so. */
export const elsewhere = '0.0.0.0'

export interface ReceivedBySmtp {
  readonly from: string
  readonly to: readonly string[]
  readonly encrypted: boolean
  readonly user: string | undefined
  /** As it came over the wire. */
  readonly source: string
  readonly parsed: ParsedMail
}

type Step = 'connect' | 'sender' | 'recipient' | 'message'

export interface SmtpOptions {
  /** Again under the port of one that was stopped. */
  readonly port?: number
  /** Who may send; without it nobody signs in. */
  readonly user?: string
  readonly password?: string
  /** `none` offers no STARTTLS; `immediate` speaks TLS from the first byte. */
  readonly tls?: 'starttls' | 'none' | 'immediate'
  /** The reply with which a step is refused, such as 550. */
  readonly refuse?: { readonly [step in Step]?: { readonly code: number; readonly text: string } }
  /** Only these recipients are refused. */
  readonly refusedRecipients?: readonly string[]
  /** Answers nothing from this step on. */
  readonly hang?: Step
}

export interface SmtpServer extends AsyncDisposable {
  readonly port: number
  readonly received: readonly ReceivedBySmtp[]
  /** Resolves when so many mails have come. */
  arrived(count: number): Promise<void>
  /** How often somebody connected. */
  connections(): number
  /** Resolves when somebody has connected, or is connected already. */
  connected(): Promise<void>
  stop(): Promise<void>
}

interface Rules extends SmtpOptions {
  keep(mail: ReceivedBySmtp): void
}

type Done = (error?: Error | null) => void

const reply = ({ code, text }: { readonly code: number; readonly text: string }): Error =>
  Object.assign(new Error(text), { responseCode: code })

/** What happens at a step: silence, a refusal, or its work. */
const stepping =
  ({ hang, refuse }: Rules) =>
  (step: Step, done: Done, work: () => void = () => done()): void => {
    const refusal = refuse?.[step]
    if (hang === step) return
    if (refusal !== undefined) done(reply(refusal))
    else work()
  }

function handlers(rules: Rules): SMTPServerOptions {
  const { user, password, refusedRecipients, keep } = rules
  const step = stepping(rules)
  return {
    onConnect: (_session, done) => step('connect', done),
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) done(null, { user: auth.username })
      else done(reply({ code: 535, text: '5.7.8 Wrong credentials' }))
    },
    onMailFrom: (_address, _session, done) => step('sender', done),
    onRcptTo({ address }, _session, done) {
      if (refusedRecipients === undefined || refusedRecipients.includes(address)) step('recipient', done)
      else done()
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        const source = Buffer.concat(chunks).toString()
        const { mailFrom, rcptTo } = session.envelope
        const parsed = await simpleParser(source)
        step('message', done, () => {
          keep({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            encrypted: session.secure,
            user: typeof session.user === 'string' ? session.user : undefined,
            source,
            parsed,
          })
          done()
        })
      })
    },
  }
}

export async function startSmtpServer(options: SmtpOptions = {}): Promise<SmtpServer> {
  const { tls = 'none', user, port = 0 } = options
  const received: ReceivedBySmtp[] = []
  const sockets = new Set<Socket>()
  const arrivals = new EventEmitter()
  const keep = (mail: ReceivedBySmtp): void => {
    received.push(mail)
    arrivals.emit('mail')
  }
  const someone = Promise.withResolvers<void>()
  let connections = 0
  const server = new SMTPServer({
    ...handlers({ ...options, keep }),
    secure: tls === 'immediate',
    disabledCommands: [...(tls === 'none' ? ['STARTTLS'] : []), ...(user === undefined ? ['AUTH'] : [])],
    allowInsecureAuth: true,
    authOptional: user === undefined,
    disableReverseLookup: true,
    cert: certificate,
    key: certificateKey,
    closeTimeout: 100,
  })
  // A client that goes away is what some of the tests are about.
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => {
    connections += 1
    someone.resolve()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(port, '0.0.0.0')
  await once(server.server, 'listening')

  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (!server.server.listening) return
    await new Promise<void>((resolve) => server.close(resolve))
  }
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    async arrived(count) {
      while (received.length < count) await once(arrivals, 'mail')
    },
    connections: () => connections,
    connected: () => someone.promise,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
