/** What must fail behind any proxy. */
import { type Asking, askPast, askThrough, callersAgent, say, stranger } from './behind.ts'
import { same } from './ground.ts'
import { type Client, grant, mtlsOf, type Trial } from './proxy-trial.ts'

/** What refuses: Latchkey, or the proxy, which may also break off the connection (0). */
const refusals: readonly number[] = [0, 400, 401, 403, 404, 421]

const refused = (what: string, status: number): void =>
  same(`${what} (${status})`, refusals.includes(status), true)

/** The header is the proxy's to write, and nobody else's. */
export async function tryForgeries(
  { behind, ofProxy, headers: names }: Trial,
  { id, certificate, others: [other] }: Client,
): Promise<void> {
  const form = { client_id: id, ...grant }
  const [there, here] = [`${mtlsOf(behind)}/token`, `${behind.issuer}/token`]
  const verdict = { [names.verdict.name]: names.verdict.value }
  const headers = { [names.certificate]: names.write(certificate), ...verdict }

  // What makes the rest of it worth something: from the proxy's own address these very headers are believed.
  const past = (from: string, url: string) => askPast(behind.port, url, { from, headers, form })
  same('headers from the proxy', await past('127.0.0.1', there), 200)
  same('headers from the proxy, at the other host', await past('127.0.0.1', here), 401)
  same('headers from a stranger', await past(stranger, there), 401)

  const ask = askThrough(ofProxy, behind.proxyPort)
  const status = async (url: string, asking: Asking): Promise<number> =>
    await ask(url, { form, ...asking }).then(
      (answer) => answer.status,
      () => 0,
    )
  refused('headers of the caller', await status(there, { headers }))
  refused('headers of the caller, at the other host', await status(here, { headers }))
  refused('headers beside a certificate', await status(there, { headers, certificate: other }))
  refused('a verdict beside a certificate', await status(there, { headers: verdict, certificate: other }))
  const { host } = new URL(there)
  refused('another name in the handshake', await status(here, { headers: { ...headers, host } }))
}

/** Requests that name one host for the proxy to choose by, and the other one for Latchkey. */
export async function tryTwoHosts({ behind, headers }: Trial, { id, certificate }: Client): Promise<void> {
  const [people, clients] = [new URL(behind.issuer).host, new URL(mtlsOf(behind)).host]
  const path = new URL(`${behind.issuer}/token`).pathname
  const body = new URLSearchParams({ client_id: id, ...grant }).toString()
  const rest = [
    `${headers.certificate}: ${headers.write(certificate)}`,
    `${headers.verdict.name}: ${headers.verdict.value}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    ...['Connection: close', '', body],
  ]
  const plain = `POST ${path} HTTP/1.1`
  const beginnings: readonly (readonly string[])[] = [
    [`POST https://${people}${path} HTTP/1.1`, `Host: ${clients}`],
    [`POST https://${clients}${path} HTTP/1.1`, `Host: ${people}`],
    [plain, `Host: ${people}`, `Host: ${clients}`],
    [plain, `Host: ${clients}`, `Host: ${people}`],
    [plain, `Host: ${clients}.`],
    [plain, `Host: ${clients.toUpperCase()}`],
    [plain, `Host: ${clients}:443`],
    [plain, `Host: ${people}`, `X-Forwarded-Host: ${clients}`],
  ]
  for (const to of [people, clients])
    for (const beginning of beginnings) {
      const words = [...beginning, ...rest].join('\r\n')
      refused(`to ${to}: ${beginning.join(', ')}`, await say(behind.proxyPort, { to, words }))
    }
}

/** A TLS session that is resumed keeps what its handshake has shown, no more and no less. */
export async function tryResumed(
  { behind, ofProxy }: Trial,
  { id, certificate, others: [other] }: Client,
): Promise<void> {
  const ask = askThrough(ofProxy, behind.proxyPort)
  const form = { client_id: id, ...grant }
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'])
    for (const [shown, expected] of [
      [certificate, 200],
      [other, 401],
    ] as const) {
      const agent = callersAgent('kept', { maxVersion })
      for (const time of ['first', 'second', 'third']) {
        const asking = { certificate: shown, form, agent }
        const { status } = await ask(`${mtlsOf(behind)}/token`, asking).catch(() => ({ status: 401 }))
        same(`the ${time} connection of ${maxVersion}`, status, expected)
      }
    }
}
