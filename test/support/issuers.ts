/**
 * An issuer outside, such as a cluster or a CI system, on this machine: it publishes its keys and signs tokens.
 *
 *     await using cluster = await startIssuer()
 *     await trust(latchkey, cluster)
 *     const token = await cluster.token({ sub: 'system:serviceaccount:shop:importer', aud: latchkey.issuer })
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { commandLineActor } from '../../src/kernel/http.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import type { RunningLatchkey } from './latchkey.ts'

export interface OutsideIssuer extends AsyncDisposable {
  readonly issuer: string
  readonly jwksUri: string
  /** A token of five minutes; `claims` are added or replace, `undefined` takes one away. */
  token(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** Another key from now on, published or not. */
  rotate(kid: string, published?: boolean): Promise<void>
  publicKey(): Promise<JWK>
  readonly privateKey: () => CryptoKey
  /** What it answers with from now on instead of its documents. */
  answerWith(
    answer: { readonly status: number; readonly location?: string; readonly body?: string } | undefined,
  ): void
  requests(): number
}

export async function startIssuer(algorithm = 'ES256'): Promise<OutsideIssuer> {
  let pair = await generateKeyPair(algorithm, { extractable: true })
  let kid = 'first'
  let keys: readonly JWK[] = [{ ...(await exportJWK(pair.publicKey)), kid, alg: algorithm }]
  let forced: Parameters<OutsideIssuer['answerWith']>[0]
  let requests = 0
  const server = createServer(({ url }, response) => {
    requests += 1
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
      '/keys': { keys },
    }
    const found = documents[url ?? '']
    const { status = found === undefined ? 404 : 200, location, body } = forced ?? {}
    response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) })
    response.end(body ?? JSON.stringify(found ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    jwksUri: `${issuer}/keys`,
    async token(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const all = { iss: issuer, iat: now, exp: now + 300, ...claims }
      return await new SignJWT(all)
        .setProtectedHeader({ alg: algorithm, kid, ...header })
        .sign(pair.privateKey)
    },
    async rotate(next, published = true) {
      pair = await generateKeyPair(algorithm, { extractable: true })
      kid = next
      if (published) keys = [{ ...(await exportJWK(pair.publicKey)), kid, alg: algorithm }]
    },
    publicKey: async () => ({ ...(await exportJWK(pair.publicKey)), kid, alg: algorithm }),
    privateKey: () => pair.privateKey,
    answerWith(answer) {
      forced = answer
    },
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Makes the server trust an issuer. */
export async function trust(
  { app }: RunningLatchkey,
  issuer: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { resource } = app.features.trustedIssuers
  await resource.create(
    accept(parseCreate(resource.fields, { issuer, name: 'An outside issuer', ...more })),
    commandLineActor,
  )
}

/** Runs a verb of a trusted issuer. */
export async function actOnIssuer({ app }: RunningLatchkey, issuer: string, verb: string): Promise<void> {
  const { resource } = app.features.trustedIssuers
  const item = await resource.find(issuer)
  if (item === undefined) throw new Error(`${issuer} is not trusted.`)
  await resource.actions.find(({ name }) => name === verb)?.run(item, {}, commandLineActor)
}
