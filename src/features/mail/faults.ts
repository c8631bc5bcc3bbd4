import { AppError } from '../../kernel/errors.ts'
import type { MailServer } from './server-url.ts'

/** What nodemailer says of a failure. */
interface Failure {
  readonly code?: string
  readonly originalCode?: string
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
  readonly permanent?: boolean
  readonly message?: string
}

/**
 * `mail.refused` (422) where the mail server will not take this mail to this address, however often it is asked
 * (RFC 5321 §4.2.1). What it has against the sender is the configuration's fault, and may be mended: that is not final.
 */
export function refused(error: unknown): AppError | undefined {
  const { code, command, permanent, response, responseCode } = error as Failure
  const isAboutMail = code === 'EMESSAGE' || (code === 'EENVELOPE' && command !== 'MAIL FROM')
  if (permanent !== true || !isAboutMail || responseCode === authenticationRequired) return undefined
  return new AppError('mail.refused', 422, `The mail server refuses the mail for good: ${lineOf(response)}`, {
    cause: error,
  })
}

/** `mail.unreachable` (502), in words that say what to look at. */
export const unreachable = (error: unknown, server: MailServer): AppError =>
  new AppError('mail.unreachable', 502, explain(error as Failure, server), { cause: error })

/** RFC 4954 §6. */
const authenticationRequired = 530

type Explain = (failure: Failure, server: MailServer) => string

const at = ({ host, port }: MailServer): string => `${host}:${port}`

const certificateCodes =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|CERT_.*|ERR_TLS_CERT_ALTNAME_INVALID)$/

const byCode: Readonly<Record<string, Explain>> = {
  EAUTH: ({ response }) =>
    `The mail server refuses the user name or the password of LATCHKEY_MAIL_SMTP_URL: ${lineOf(response)}`,
  ENOAUTH: () => 'The mail server wants a user name and a password; put both into LATCHKEY_MAIL_SMTP_URL.',
  EDNS: (_, { host }) =>
    `There is no host named ${host}, or the name cannot be resolved here; check LATCHKEY_MAIL_SMTP_URL.`,
  ETLS: ({ message }, server) =>
    `${at(server)} does not upgrade the connection to TLS (${lineOf(message)}). Use another port, or smtps:// where it expects TLS at once.`,
  ETIMEDOUT: (_, server) =>
    `${at(server)} did not answer in time. Check the port, and whether a firewall stands between.`,
  EABORT: (_, server) => `${at(server)} took too long and was broken off.`,
  EENVELOPE: ({ command, response }) =>
    command === 'MAIL FROM'
      ? `The mail server refuses the sender; check LATCHKEY_MAIL_FROM: ${lineOf(response)}`
      : `The mail server does not take mail to this address at the moment: ${lineOf(response)}`,
  EMESSAGE: ({ response }) => `The mail server does not take this mail at the moment: ${lineOf(response)}`,
}

function explain(failure: Failure, server: MailServer): string {
  const { originalCode = '', message } = failure
  const code = failure.responseCode === authenticationRequired ? 'ENOAUTH' : (failure.code ?? '')
  if (certificateCodes.test(originalCode) || certificateCodes.test(code)) {
    return `The certificate of ${at(server)} cannot be trusted (${lineOf(message)}). Use the name that it is made for, and NODE_EXTRA_CA_CERTS for an authority of your own.`
  }
  if (originalCode === 'ECONNREFUSED') return `Nobody listens at ${at(server)}; check host and port.`
  if (/wrong version number|packet length too long/i.test(message ?? '')) {
    return `${at(server)} does not speak TLS from the start; use smtp:// instead of smtps:// in LATCHKEY_MAIL_SMTP_URL.`
  }
  return byCode[code]?.(failure, server) ?? `Talking to ${at(server)} failed: ${lineOf(message)}`
}

/** What a server said, as one line of a sensible length. */
const lineOf = (text = 'no reason given'): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 200)
