/** What must hold behind any proxy for people: pages load, long answers pass, and who asks is known by his own address. */
import sharp from 'sharp'
import { selfSigned } from '../../test/support/certificates.ts'
import { answered, walkThrough } from '../../test/support/relying-party.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../../test/support/visitor.ts'
import { askThrough, caller, throughProxy } from './behind.ts'
import { person, same } from './ground.ts'
import { mtlsOf, type Trial } from './proxy-trial.ts'

const callback = 'https://shop.example.com/callback'
/** RFC 7636 appendix B. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

interface Shop {
  readonly id: string
  readonly authorization: string
}

export async function tryPeople(trial: Trial): Promise<void> {
  const shop = await shopOf(trial, '--tls-client-certificate-bound-access-tokens')
  const visitor = newVisitor()
  const code = await throughProxy(trial.ofProxy, trial.behind.proxyPort, async () => {
    await tryAddress(trial)
    const code = await signIn(trial, shop, visitor)
    await tryPicture(trial, visitor)
    return code
  })
  await tryBoundToken(trial, shop, code)
}

/** An application with a secret. */
export async function shopOf({ behind }: Trial, ...flags: readonly string[]): Promise<Shop> {
  const { id, secret } = await behind.createClient(
    ...['--name', 'Shop', '--kind', 'web', '--first-party', '--redirect-uri', callback, ...flags],
  )
  return { id, authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

/** The sign-in page with all that it needs; then the code, with whatever the application has sent along. */
export async function signIn({ behind }: Trial, { id }: Shop, visitor: Visitor): Promise<string> {
  // With what else stands there, about as long as an address may be.
  const state = 'x'.repeat(7_000)
  const query = new URLSearchParams({
    ...{ client_id: id, response_type: 'code', scope: 'openid', redirect_uri: callback, state },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  })
  const begin = `${behind.issuer}/auth?${query}`
  const page = await visitor.follow(await visitor.get(begin))
  same('the sign-in page', [page.status, page.text.includes('name="password"')].join(), '200,true')
  await tryAssets(visitor, page)
  const back = answered(await walkThrough(visitor, begin, person))
  same('the state', back.state, state)
  return back.code ?? ''
}

async function tryAssets(visitor: Visitor, page: Page): Promise<void> {
  const assets = [...page.text.matchAll(/(?:href|src)="([^"]*\/assets\/[^"]*)"/g)].map(
    ([, path = '']) => path,
  )
  same('the number of assets', assets.length > 0, true)
  for (const path of assets) same(path, (await visitor.get(new URL(path, page.url).href)).status, 200)
}

/** A caller who says that he is somebody else. */
async function tryAddress({ behind }: Trial): Promise<void> {
  const visitor = newVisitor()
  const pretended = {
    'x-forwarded-for': '203.0.113.9',
    forwarded: 'for=203.0.113.9',
    'x-real-ip': '203.0.113.9',
  }
  for (const headers of [{}, pretended]) {
    const page = await visitor.follow(await visitor.get(`${behind.issuer}/account`))
    const fields = { identifier: person.email, password: 'wrong' }
    const { status } = await visitor.submit(page, fields, { action: '/password', headers })
    same('a wrong password', status, 401)
    same('the address in the log', behind.lastAddress(), caller)
  }
}

/** Larger than what proxies take when they are not told otherwise, smaller than what Latchkey takes. */
async function tryPicture({ behind }: Trial, visitor: Visitor): Promise<void> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  const picture = await sharp({
    create: { width: 2_000, height: 1_200, channels: 3, background: 'white', noise },
  })
    .jpeg({ quality: 100 })
    .toBuffer()
  same('the size of the picture', picture.length > 2 ** 21, true)
  const page = await visitor.follow(await visitor.get(`${behind.issuer}/account`))
  same('the account', page.status, 200)
  same('the picture', await upload(visitor, page, picture), 303)
}

/** As a browser sends the form of a page with a file. */
async function upload(visitor: Visitor, page: Page, file: Buffer): Promise<number> {
  const form = formsOf(page).find(({ action }) => action.endsWith('/picture/upload'))
  const body = new FormData()
  for (const [field, value] of Object.entries(form?.fields ?? {})) body.set(field, value)
  body.set('picture', new Blob([new Uint8Array(file)], { type: 'image/jpeg' }), 'portrait.jpg')
  const action = form?.action ?? ''
  const cookie = visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const headers = { accept: 'text/html', origin: new URL(action).origin, cookie }
  return (await fetch(action, { method: 'POST', redirect: 'manual', body, headers })).status
}

/** Where the issuer has a path: its documents at the root of the host, and what is not its own. */
export async function tryBelowPath({ behind, ofProxy }: Trial): Promise<void> {
  const { origin, pathname } = new URL(behind.issuer)
  const ask = askThrough(ofProxy, behind.proxyPort)
  for (const name of ['oauth-authorization-server', 'openid-configuration'])
    same(name, (await ask(`${origin}/.well-known/${name}${pathname}`)).body.issuer, behind.issuer)
  same('webauthn', (await ask(`${origin}/.well-known/webauthn`)).status, 200)
  same('without the slash', (await ask(behind.issuer)).status, 301)
  for (const path of ['/', '/account', '/idx', '/.well-known/openid-configuration'])
    same(`${path} of others`, (await ask(`${origin}${path}`)).text.includes('nginx'), true)
  await throughProxy(ofProxy, behind.proxyPort, async () => {
    const visitor = newVisitor()
    const form = await visitor.follow(await visitor.get(`${behind.issuer}/`))
    const fields = { identifier: person.email, password: person.password }
    const account = await visitor.follow(await visitor.submit(form, fields, { action: '/password' }))
    same('the account', `${account.status} ${account.url}`, `200 ${behind.issuer}/account`)
    const left = await visitor.follow(await visitor.submit(account, {}, { action: '/sign-out' }))
    same('signed out', left.status, 200)
    const again = await visitor.follow(await visitor.get(`${behind.issuer}/account`))
    same('the sign-in page', again.text.includes('name="password"'), true)
  })
}

async function tryBoundToken(
  { behind, ofProxy, authority, ways }: Trial,
  shop: Shop,
  code: string,
): Promise<void> {
  const ask = askThrough(ofProxy, behind.proxyPort)
  const url = mtlsOf(behind)
  const issued = () => (ways.includes('self_signed_tls_client_auth') ? selfSigned() : authority.issue({}))
  const [mine, foreign] = [await issued(), await issued()]
  const { authorization } = shop
  const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: callback }
  const { status, body, text } = await ask(`${url}/token`, {
    certificate: mine,
    headers: { authorization },
    form,
  })
  same(`the token: ${text}`, status, 200)
  const headers = { authorization: `Bearer ${String(body.access_token)}` }
  same('userinfo', (await ask(`${url}/me`, { certificate: mine, headers })).status, 200)
  same('userinfo without the certificate', (await ask(`${url}/me`, { headers })).status, 401)
  same('userinfo with another one', (await ask(`${url}/me`, { certificate: foreign, headers })).status, 401)
  same(
    'userinfo at the other host',
    (await ask(`${behind.issuer}/me`, { certificate: mine, headers })).status,
    401,
  )
}
