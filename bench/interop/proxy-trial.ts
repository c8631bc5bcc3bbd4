/** What must hold behind any proxy: who shows which certificate is known, and tokens need it. */
import { type Authority, type Issued, newAuthority, selfSigned } from '../../test/support/certificates.ts'
import { askThrough, type Behind } from './behind.ts'
import { same } from './ground.ts'
import { tryForgeries, tryResumed, tryTwoHosts } from './proxy-attacks.ts'

/** How the proxy hands certificates on. */
export interface Headers {
  readonly certificate: string
  readonly verdict: { readonly name: string; readonly value: string }
  /** What the proxy writes for this certificate. */
  readonly write: (certificate: Issued) => string
}

export interface Trial {
  readonly behind: Behind
  /** Of the clients. */
  readonly authority: Authority
  /** Of the proxy itself. */
  readonly ofProxy: Pick<Authority, 'cert'>
  readonly headers: Headers
  /** Which of the two ways to prove oneself by a certificate this configuration is for. */
  readonly ways: readonly ('tls_client_auth' | 'self_signed_tls_client_auth')[]
}

/** A service that gets tokens bound to its certificate. */
export interface Client {
  readonly id: string
  readonly certificate: Issued
  /** Of somebody else, in the same name. */
  readonly others: readonly [Issued, Issued]
}

const subject = 'C=DE, O=Example, CN=bank'
export const grant = { grant_type: 'client_credentials' }

/** The host for certificates, below the path of the issuer, where it has one. */
export const mtlsOf = ({ issuer }: Behind): string => issuer.replace('https://', 'https://mtls.')

export async function tryCertificates(trial: Trial): Promise<void> {
  await tryDiscovery(trial)
  for (const way of trial.ways) {
    const client = way === 'tls_client_auth' ? await bank(trial) : await selfMade(trial)
    await tryTokens(trial, client)
    await tryForgeries(trial, client)
    await tryTwoHosts(trial, client)
    await tryResumed(trial, client)
  }
}

const bound = ['--kind', 'service', '--tls-client-certificate-bound-access-tokens', '--name']

async function bank({ behind, authority }: Trial): Promise<Client> {
  const impostor = await newAuthority('Example client CA')
  const { id } = await behind.createClient(
    ...[...bound, 'Bank', '--authentication', 'tls_client_auth'],
    ...['--tls-client-auth-subject-dn', 'CN=bank,O=Example,C=DE'],
  )
  return {
    id,
    certificate: await authority.issue({ subject }),
    others: [await selfSigned({ subject }), await impostor.issue({ subject })],
  }
}

async function selfMade({ behind, authority }: Trial): Promise<Client> {
  const certificate = await selfSigned({ subject })
  const { id } = await behind.createClient(
    ...[...bound, 'Shop', '--authentication', 'self_signed_tls_client_auth'],
    ...['--jwks', JSON.stringify({ keys: [certificate.jwk] })],
  )
  return { id, certificate, others: [await selfSigned({ subject }), await authority.issue({ subject })] }
}

async function tryDiscovery({ behind, ofProxy }: Trial): Promise<void> {
  const ask = askThrough(ofProxy, behind.proxyPort)
  const { status, body } = await ask(`${behind.issuer}/.well-known/openid-configuration`)
  same('discovery', status, 200)
  same('the issuer', body.issuer, behind.issuer)
  const aliases = Object.values(body.mtls_endpoint_aliases as Record<string, string>)
  same('the number of aliases', aliases.length >= 5, true)
  for (const alias of aliases) {
    same('the host of an alias', new URL(alias).origin, new URL(mtlsOf(behind)).origin)
    // Answered by Latchkey, which refuses the host for anything but these.
    const { status: answered, text } = await ask(alias, { form: {} })
    same(`${alias}: ${text}`, [400, 401].includes(answered), true)
  }
  same('a page at the host for certificates', (await ask(`${mtlsOf(behind)}/account`)).status, 421)
}

async function tryTokens({ behind, ofProxy }: Trial, { id, certificate, others }: Client): Promise<void> {
  const ask = askThrough(ofProxy, behind.proxyPort)
  const form = { client_id: id, ...grant }
  const url = `${mtlsOf(behind)}/token`
  const { status, body, text } = await ask(url, { certificate, form })
  same(`a token for ${id}: ${text}`, status, 200)
  const asked = { client_id: id, token: String(body.access_token) }
  const seen = await ask(`${url}/introspection`, { certificate, form: asked })
  same('the thumbprint', (seen.body.cnf as Record<string, unknown>)['x5t#S256'], certificate.thumbprint)
  same('without a certificate', (await ask(url, { form })).status, 401)
  same('where nobody asks for it', (await ask(`${behind.issuer}/token`, { certificate, form })).status, 401)
  for (const other of others) {
    // A proxy may also refuse it itself, or break off the connection.
    const { status: refused } = await ask(url, { certificate: other, form }).catch(() => ({ status: 400 }))
    same('with a certificate of somebody else', [400, 401].includes(refused), true)
  }
}
