/** Every way in which a client, or whoever registers one, makes the server ask an address of his choice. */
import { randomUUID } from 'node:crypto'
import { generateKeyPair, SignJWT } from 'jose'
import { commandLineActor } from '../../src/kernel/http.ts'
import { hashSecret } from '../../src/kernel/ids.ts'
import { administration } from './administration.ts'
import { type Answer, application, callback, send } from './application.ts'
import { trust } from './issuers.ts'
import { type LatchkeyOptions, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { newVisitor } from './visitor.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ciba = 'urn:openid:params:grant-type:ciba'
const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
export const vendor = 'https://vendor.example.test'

export async function openFlows({ environment = {} }: LatchkeyOptions = {}): Promise<RunningLatchkey> {
  const latchkey = await startLatchkey({
    environment: {
      LATCHKEY_HOST_FAILURES_PER_MINUTE: '10000',
      LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'open',
      LATCHKEY_CLIENT_REGISTRATIONS_PER_HOUR: '10000',
      LATCHKEY_CLIENT_REGISTRATIONS_POLICY: JSON.stringify({ statementIssuers: [vendor] }),
      LATCHKEY_CLIENT_REGISTRATIONS_DOCUMENTS: 'any',
      ...environment,
    },
  })
  await latchkey.createUser(ada)
  await trust(latchkey, vendor)
  return latchkey
}

/** Makes the server ask at the address, and answers with what came of it. */
export type Flow = (latchkey: RunningLatchkey, url: string) => Promise<string>

const words = ({ status, body }: Answer): string => `${status} ${String(body.error ?? '')}`.trim()

async function signed(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256')
  return await new SignJWT({ jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'a key' })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey)
}

/** What the last thing that waits to be sent has failed of. */
async function afterDelivery({ app }: RunningLatchkey, topic: string): Promise<string> {
  const { worker, queue } = app.features.outbox
  await worker.drain()
  const [last] = await queue.list(topic, 1)
  const failed = last?.lastError ?? 'nothing failed'
  await app.storage.db.outboxMessage.deleteMany({ where: { topic } })
  return failed
}

const asClient = async (
  { issuer }: RunningLatchkey,
  { id, iss = id }: { readonly id: string; readonly iss?: string },
): Promise<Answer> => {
  const client_assertion = await signed({ iss, sub: id, aud: issuer })
  const form = { grant_type: 'client_credentials', client_id: id, client_assertion }
  return await send({ issuer }, '/token', { form: { ...form, client_assertion_type: assertionType } })
}

async function byIssuer(latchkey: RunningLatchkey, issuer: string, more = {}): Promise<string> {
  await trust(latchkey, issuer, more)
  const { id } = await latchkey.createClient({
    kind: 'service',
    name: 'Importer',
    authentication: 'federated_jwt',
    federatedCredentials: [{ issuer, subject: 'job' }],
  })
  const client_assertion = await signed({ iss: issuer, sub: 'job', aud: latchkey.issuer })
  const form = { grant_type: 'client_credentials', client_id: id, client_assertion }
  return words(await send(latchkey, '/token', { form: { ...form, client_assertion_type: assertionType } }))
}

export const flows: Readonly<Record<string, Flow>> = {
  async jwks_uri(latchkey, jwksUri) {
    const service = { kind: 'service', name: 'Importer', authentication: 'private_key_jwt', jwksUri }
    return words(await asClient(latchkey, await latchkey.createClient(service)))
  },

  async sector_identifier_uri(latchkey, sectorIdentifierUri) {
    const pairwise = { subjectType: 'pairwise', sectorIdentifierUri }
    await latchkey.createClient({ kind: 'web', name: 'Shop', redirectUris: [callback], ...pairwise })
    return 'created'
  },

  async 'sector_identifier_uri of a client that registers itself'(latchkey, sector_identifier_uri) {
    return words(await registration(latchkey, { subject_type: 'pairwise', sector_identifier_uri }))
  },

  async backchannel_logout_uri(latchkey, backchannelLogoutUri) {
    const { app } = latchkey
    const web = { kind: 'web', name: 'Shop', redirectUris: [callback], firstParty: true }
    const client = await latchkey.createClient({ ...web, backchannelLogoutUri })
    await application(latchkey, client).signIn(newVisitor(), ada)
    const user = await app.features.users.users.getByKey(ada.email)
    await app.features.sessions.sessions.endAll(user.id, { actor: commandLineActor })
    return await afterDelivery(latchkey, 'application-logout')
  },

  async backchannel_client_notification_endpoint(latchkey, endpoint) {
    const { id: clientId } = await latchkey.createClient({
      kind: 'web',
      name: 'Bank',
      redirectUris: [callback],
      grantTypes: ['authorization_code', ciba],
      backchannelTokenDeliveryMode: 'ping',
      backchannelClientNotificationEndpoint: endpoint,
    })
    const expiresAt = new Date(Date.now() + 60_000)
    const authReqId = randomUUID()
    const request = { model: 'BackchannelAuthenticationRequest', id: hashSecret(authReqId), payload: '{}' }
    await latchkey.app.storage.db.artefact.create({ data: { ...request, expiresAt } })
    const notification = { clientId, endpoint, token: 'a token', authReqId }
    await latchkey.app.features.approvals.approvals.tell({
      ...notification,
      expiresAt: expiresAt.toISOString(),
    })
    return await afterDelivery(latchkey, 'approval_answered')
  },

  async 'client ID metadata document'(latchkey, url) {
    const form = { client_id: `${url}/${randomUUID()}`, response_type: 'code', redirect_uri: callback }
    return words(await send(latchkey, `/auth?${new URLSearchParams(form)}`))
  },

  async 'keys of the issuer of a software statement'(latchkey, jwksUri) {
    const { resource } = latchkey.app.features.trustedIssuers
    const item = await resource.find(vendor)
    if (item === undefined) throw new Error(`${vendor} is not trusted.`)
    await administration(() => resource).update(item, { jwksUri })
    const software_statement = await signed({ iss: vendor, sub: 'app', aud: latchkey.issuer })
    return words(await registration(latchkey, { software_statement }))
  },

  'keys of a trusted issuer': (latchkey, jwksUri) =>
    byIssuer(latchkey, `https://${randomUUID()}.example.test`, { jwksUri }),

  'discovery document of a trusted issuer': (latchkey, url) => byIssuer(latchkey, `${url}/${randomUUID()}`),
}

const registration = async (
  { issuer }: RunningLatchkey,
  metadata: Readonly<Record<string, unknown>>,
): Promise<Answer> => {
  const response = await fetch(`${issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example.test/cb'], ...metadata }),
  })
  const text = await response.text()
  return { status: response.status, body: JSON.parse(text), text, location: undefined }
}
