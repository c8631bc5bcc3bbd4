import type { SignedIn } from './sign-in.ts'

/** Text that is HTML already. */
interface Html {
  readonly html: string
}

/** What a page without claims says. */
export interface Notice {
  readonly title: string
  readonly text: string
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')

const rendered = (value: string | Html | readonly Html[]): string => {
  if (typeof value === 'string') return escaped(value)
  return 'html' in value ? value.html : value.map(rendered).join('')
}

/** A template whose values are escaped, unless they are HTML themselves. */
const html = (
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html => ({
  html: strings
    .map((text, index) => text + (index < values.length ? rendered(values[index] ?? '') : ''))
    .join(''),
})

/** For whoever is not signed in: the way in, and where wanted what happened before. */
export const welcomePage = (notice?: Notice): string =>
  page(
    notice?.title ?? 'Welcome',
    html`<section class="card narrow">
<h1>${notice?.title ?? 'Welcome'}</h1>
<p class="lead">${notice?.text ?? 'This application has no passwords of its own. Latchkey tells it who you are.'}</p>
<a class="button primary" href="/sign-in">Sign in with Latchkey</a>
</section>`,
  )

export function personPage({ claims, userinfo }: SignedIn): string {
  const name = String(userinfo.name ?? userinfo.preferred_username ?? userinfo.email ?? claims.sub)
  return page(
    `Hello, ${name}`,
    html`<section class="card">
<h1>Hello, ${name}</h1>
<p class="lead">You are signed in. This is what Latchkey has told the application about you.</p>
<div class="actions">
<a class="button secondary" href="/sign-in?fresh">Confirm it’s you again</a>
<form method="post" action="/sign-out"><button class="button secondary">Sign out</button></form>
</div>
</section>
${table('User information', 'Asked for with the access token: what you have allowed the application to see.', userinfo)}
${table('ID token', 'Signed, and checked by the application: who signed in, when and how.', claims)}`,
  )
}

const table = (
  title: string,
  explanation: string,
  claims: Readonly<Record<string, unknown>>,
): Html => html`<section class="card">
<h2>${title}</h2>
<p class="lead">${explanation}</p>
<dl>${Object.entries(claims).map(([name, value]) => row(name, value))}</dl>
</section>`

const row = (name: string, value: unknown): Html => html`
<div><dt><code>${name}</code><small>${meanings[name] ?? ''}</small></dt><dd>${shown(name, value)}</dd></div>`

const instants = new Set(['auth_time', 'iat', 'exp', 'updated_at'])

function shown(name: string, value: unknown): Html {
  if (!instants.has(name))
    return html`<bdi>${typeof value === 'string' ? value : JSON.stringify(value)}</bdi>`
  const at = new Date(Number(value) * 1000).toISOString()
  return html`<time datetime="${at}">${at.replace('T', ' ').replace('.000Z', ' UTC')}</time>`
}

const meanings: Readonly<Record<string, string>> = {
  iss: 'who says so',
  sub: 'the person, always the same',
  aud: 'for which application',
  exp: 'valid until',
  iat: 'said at',
  auth_time: 'signed in at',
  nonce: 'ties it to this sign-in',
  acr: 'how surely',
  amr: 'by which means',
  sid: 'the session at Latchkey',
  at_hash: 'ties it to the access token',
  name: 'full name',
  given_name: 'first name',
  family_name: 'last name',
  preferred_username: 'user name',
  email: 'e-mail address',
  email_verified: 'known to be theirs',
  updated_at: 'last changed',
  locale: 'language',
  zoneinfo: 'time zone',
  picture: 'picture',
}

const page = (title: string, body: Html): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · Sample application</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><a href="/"><span class="mark" aria-hidden="true">S</span>Sample application</a></header>
<main>${body}</main>
</body>
</html>
`.html
