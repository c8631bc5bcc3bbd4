/** What the setting of the mail server says. */
export interface MailServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte; otherwise STARTTLS. */
  readonly secure: boolean
  readonly user: string | undefined
  readonly password: string | undefined
  /** On this machine, where nobody is on the way. */
  readonly isLocal: boolean
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** `undefined` where the text is none. */
export function parseServerUrl(text: string): MailServer | undefined {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '') return undefined
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') return undefined
  const secure = url.protocol === 'smtps:'
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
      secure,
      user: url.username === '' ? undefined : decodeURIComponent(url.username),
      password: url.password === '' ? undefined : decodeURIComponent(url.password),
      isLocal: loopback.test(url.hostname.toLowerCase()),
    }
  } catch {
    return undefined
  }
}
