import { randomBytes } from 'node:crypto'

/** A person's browser as far as a sign-in needs one: cookies, redirects, one form. */
export interface Browser {
  /** Requests `url` and follows redirects until a page, or until a redirect to `stopAt`. */
  open(url: string, stopAt: string): Promise<Landing>
  /** Fills in the page's form and sends it, keeping its hidden fields. */
  submit(page: Page, fields: Readonly<Record<string, string>>, stopAt: string): Promise<Landing>
  /** The Cookie header this browser sends to `url`. */
  cookiesFor(url: string): string
}

export interface Page {
  readonly url: string
  readonly status: number
  readonly html: string
}

export type Landing =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'left'; readonly url: URL }

const redirectLimit = 10

export function createBrowser(): Browser {
  const cookies = createCookies()

  async function go(url: string, init: RequestInit, stopAt: string): Promise<Landing> {
    let at = url
    let request = init
    for (let hop = 0; hop < redirectLimit; hop += 1) {
      const headers = new Headers(request.headers)
      headers.set('cookie', cookies.headerFor(at))
      const response = await fetch(at, { ...request, headers, redirect: 'manual' })
      const html = await response.text()
      for (const header of response.headers.getSetCookie()) cookies.keep(header)
      const location = response.headers.get('location')
      if (location === null) return { kind: 'page', page: { url: at, status: response.status, html } }
      const next = new URL(location, at)
      if (next.href.startsWith(stopAt)) return { kind: 'left', url: next }
      at = next.href
      request = { method: 'GET' }
    }
    throw new Error(`more than ${redirectLimit} redirects from ${url}`)
  }

  return {
    cookiesFor: cookies.headerFor,
    open: (url, stopAt) => go(url, { method: 'GET' }, stopAt),
    submit(page, fields, stopAt) {
      const action = attribute(/<form\b[^>]*>/i.exec(page.html)?.[0] ?? '', 'action')
      const url = new URL(action || page.url, page.url)
      return go(
        url.href,
        {
          method: 'POST',
          headers: { origin: url.origin, 'sec-fetch-site': 'same-origin' },
          body: new URLSearchParams({ ...hiddenFields(page.html), ...fields }),
        },
        stopAt,
      )
    },
  }
}

function createCookies() {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>()
  return {
    headerFor(url: string): string {
      const { pathname } = new URL(url)
      return [...cookies]
        .filter(([, { path }]) => pathname.startsWith(path))
        .map(([name, { value }]) => `${name}=${value}`)
        .join('; ')
    },
    /** Takes a Set-Cookie header in; an empty value removes the cookie. */
    keep(header: string): void {
      const [pair = '', ...attributes] = header.split(/;\s*/)
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(pair.indexOf('=') + 1)
      const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'
      if (value === '') cookies.delete(name)
      else cookies.set(name, { value, path })
    },
  }
}

/** The PKCE pair (RFC 7636 §4) of every authorization; a load test needs no fresh one for each. */
export const pkce = {
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
}

export const freshState = () => randomBytes(12).toString('base64url')

/** Of the first form of a page, the one that is sent. */
function hiddenFields(html: string): Record<string, string> {
  const inputs =
    /<form\b[\s\S]*?<\/form>/i.exec(html)?.[0].match(/<input\b[^>]*type="?hidden"?[^>]*>/gi) ?? []
  return Object.fromEntries(inputs.map((input) => [attribute(input, 'name'), attribute(input, 'value')]))
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1] ?? ''
  return value
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
