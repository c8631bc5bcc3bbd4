import type { SettingValues } from '../../kernel/settings.ts'
import { refused, unreachable } from './faults.ts'
import type { QueuedMail, RenderedMail } from './mail.ts'
import { type MailServer, parseServerUrl } from './server-url.ts'
import type { settings } from './settings.ts'

export interface SmtpDependencies {
  readonly settings: SettingValues<typeof settings>
  readonly issuer: string
  readonly brandName: string
}

/** The way to the configured mail server. Both throw `mail.unreachable` (502), and `mail.refused` (422) for good. */
export interface Smtp {
  readonly server: MailServer
  /** Connects and signs in, and sends nothing. */
  verify(): Promise<void>
  send(mail: QueuedMail, words: RenderedMail, signal: AbortSignal): Promise<void>
}

/** `undefined` where no server is configured. */
export function openSmtp(dependencies: SmtpDependencies): Smtp | undefined {
  const { settings } = dependencies
  const server = settings.smtpUrl === undefined ? undefined : parseServerUrl(settings.smtpUrl)
  if (server === undefined) return undefined

  return {
    server,
    async verify() {
      const transport = await openTransport(dependencies, server)
      try {
        await transport.verify()
      } catch (error) {
        throw unreachable(error, server)
      } finally {
        transport.close()
      }
    },
    async send(mail, words, signal) {
      const transport = await openTransport(dependencies, server)
      const limit = AbortSignal.timeout(3 * settings.timeoutSeconds * 1000)
      try {
        await transport.sendMail({
          ...messageOf(dependencies, mail, words),
          signal: AbortSignal.any([signal, limit]),
        })
      } catch (error) {
        throw refused(error) ?? unreachable(error, server)
      } finally {
        transport.close()
      }
    },
  }
}

/** Loaded when the first mail is sent, so that a server that sends none does not keep it in memory. */
async function openTransport({ settings, issuer }: SmtpDependencies, server: MailServer) {
  const { createTransport } = await import('nodemailer')
  const { host, port, secure, user, password, isLocal } = server
  const timeout = settings.timeoutSeconds * 1000
  const trusting = isLocal || settings.allowUnprotected
  return createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && !trusting,
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    // On this machine nobody is on the way, and its certificate is often its own; elsewhere only where that is allowed.
    tls: { rejectUnauthorized: !trusting },
    name: new URL(issuer).hostname,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

function messageOf({ settings, issuer, brandName }: SmtpDependencies, mail: QueuedMail, words: RenderedMail) {
  const { hostname } = new URL(issuer)
  const address = settings.from ?? `no-reply@${hostname}`
  return {
    from: { name: settings.fromName ?? brandName, address },
    to: { name: '', address: mail.to },
    envelope: { from: address, to: [mail.to] },
    ...(settings.replyTo !== undefined && { replyTo: { name: '', address: settings.replyTo } }),
    ...words,
    date: mail.at,
    messageId: `<${mail.id}@${hostname}>`,
    headers: {
      // RFC 3834 §5; the other one keeps Exchange from answering with out-of-office notices.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
  }
}
