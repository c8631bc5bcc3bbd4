import type { Credentials } from './target.ts'

/** `client_secret_basic`: both halves are form-encoded first (RFC 6749 §2.3.1). */
export function basicAuthorization({ id, secret }: Credentials): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
}

/** A complete GET request as bytes. */
export function getRequest(url: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const { host, pathname, search } = new URL(url)
  return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n${headerLines(headers)}\r\n`)
}

/** Returns a function from a form to a complete POST request; what does not change is rendered once. */
export function postRequest(
  url: string,
  headers: Readonly<Record<string, string>>,
): (form: Readonly<Record<string, string>>) => Buffer {
  const { host, pathname } = new URL(url)
  const head =
    `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\n${headerLines(headers)}` +
    'content-type: application/x-www-form-urlencoded\r\ncontent-length: '
  return (form) => {
    const body = new URLSearchParams(form).toString()
    return Buffer.from(`${head}${body.length}\r\n\r\n${body}`)
  }
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}
