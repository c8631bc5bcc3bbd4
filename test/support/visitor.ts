/**
 * A browser without a screen: keeps cookies as a browser does (name, path, expiry), reads forms, sends them back, and
 * follows no redirect unless told to.
 *
 *     const visitor = newVisitor()
 *     const page = await visitor.get(authorizationUrl)
 *     const answer = await visitor.submit(await visitor.follow(page), { identifier, password })
 */
export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Absolute, of a redirect. */
  readonly location: string | undefined
}

export interface FormOptions {
  /** Of several forms, the one whose action ends so. */
  readonly action?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

export interface Visitor {
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Page>
  post(
    url: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Page>
  /** Fills a form of the page with `fields`, hidden ones included, and posts it as a browser would. */
  submit(page: Page, fields?: Readonly<Record<string, string>>, options?: FormOptions): Promise<Page>
  /** Follows redirects on the origin of the first page; answers with the last page, or the redirect that leads elsewhere. */
  follow(page: Page): Promise<Page>
  readonly cookies: readonly Cookie[]
  /** Another window of the same browser at this moment: same cookies, kept apart from now on. */
  clone(): Visitor
}

export function newVisitor(initial: readonly Cookie[] = []): Visitor {
  let cookies: readonly Cookie[] = initial

  const keep = (headers: Headers): void => {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const [name = '', ...rest] = pair.split('=')
      const value = rest.join('=')
      const attribute = (wanted: string): string | undefined =>
        attributes.find((each) => each.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
      const path = attribute('path') ?? '/'
      cookies = cookies.filter((cookie) => cookie.name !== name || cookie.path !== path)
      const expires = attribute('expires')
      const gone =
        value === '' ||
        attribute('max-age') === '0' ||
        (expires !== undefined && new Date(expires) < new Date())
      if (!gone) cookies = [...cookies, { name, value, path }]
    }
  }

  const matches = (path: string, of: string): boolean =>
    path === of || path.startsWith(of.endsWith('/') ? of : `${of}/`)

  async function send(url: string, init: RequestInit & { headers: Record<string, string> }): Promise<Page> {
    const { pathname } = new URL(url)
    const sent = cookies
      .filter(({ path }) => matches(pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...(sent.length > 0 && { cookie: sent.join('; ') }), ...init.headers },
    })
    keep(response.headers)
    const location = response.headers.get('location')
    return {
      url,
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: location === null ? undefined : new URL(location, url).href,
    }
  }

  const visitor: Visitor = {
    get: (url, headers = {}) => send(url, { method: 'GET', headers: { ...headers } }),
    post: (url, fields, headers = {}) =>
      send(url, {
        method: 'POST',
        body: new URLSearchParams(fields).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: new URL(url).origin,
          ...headers,
        },
      }),
    async submit(page, fields = {}, { action = '', headers = {} } = {}) {
      const form = formsOf(page).find((each) => each.action.endsWith(action))
      if (form === undefined)
        throw new Error(
          `There is no form ${action} on ${page.url} (${page.status}): ${page.text.slice(0, 500)}`,
        )
      return await visitor.post(form.action, { ...form.fields, ...fields }, headers)
    },
    async follow(page) {
      const { origin } = new URL(page.url)
      let current = page
      while (current.location !== undefined && new URL(current.location).origin === origin)
        current = await visitor.get(current.location)
      return current
    },
    get cookies() {
      return cookies
    },
    clone: () => newVisitor(cookies),
  }
  return visitor
}

/** The forms of a page with their hidden fields. */
export function formsOf({
  text,
  url,
}: Page): readonly { readonly action: string; readonly fields: Readonly<Record<string, string>> }[] {
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag = '', body = '']) => {
    const inputs = [...body.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)].map(
      ([input]) => [attributeOf(input, 'name'), attributeOf(input, 'value')] as const,
    )
    return { action: new URL(attributeOf(tag, 'action'), url).href, fields: Object.fromEntries(inputs) }
  })
}

const attributeOf = (tag: string, name: string): string =>
  (new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '')
    .replaceAll('&amp;', '&')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
