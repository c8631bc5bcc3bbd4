/** A server that trusts an issuer outside, and a client that proves itself by that one's tokens. */
import type { JWTPayload } from 'jose'
import { type Answer, type Fields, send } from './application.ts'
import { startIssuer, trust } from './issuers.ts'
import { startLatchkey } from './latchkey.ts'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const subject = 'system:serviceaccount:shop:importer'
export const importer = 'importer'
export const refused = { status: 401, body: { error: 'invalid_client' } }

export type Federated = Awaited<ReturnType<typeof federatedServer>>

export async function federatedServer() {
  const latchkey = await startLatchkey({
    environment: {
      LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost',
      // The attacks of a test come from one address within a minute.
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '1000',
    },
  })
  const cluster = await startIssuer()
  await trust(latchkey, cluster.issuer)

  /** Registers a client with one credential. */
  const federated = (input: Readonly<Record<string, unknown>> = {}, credential: object = {}) =>
    latchkey.createClient({
      kind: 'service',
      name: 'Importer',
      authentication: 'federated_jwt',
      federatedCredentials: [{ issuer: cluster.issuer, subject, ...credential }],
      ...input,
    })
  await federated({ id: importer })

  const at = (path: string, form: Fields, assertion: string): Promise<Answer> =>
    send(latchkey, path, {
      form: { client_assertion_type: assertionType, client_assertion: assertion, ...form },
    })
  return {
    latchkey,
    cluster,
    federated,
    token: (claims: JWTPayload = {}, header = {}): Promise<string> =>
      cluster.token({ sub: subject, aud: latchkey.issuer, ...claims }, header),
    at,
    ask: (assertion: string, form: Fields = { client_id: importer }): Promise<Answer> =>
      at('/token', { grant_type: 'client_credentials', ...form }, assertion),
    async close() {
      await cluster[Symbol.asyncDispose]()
      await latchkey.close()
    },
  }
}
