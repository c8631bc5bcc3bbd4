import { decodeJwt } from 'jose'
import type { Context } from 'koa'
import { errors, Provider } from 'oidc-provider'
import { newSecret } from '../../kernel/ids.ts'
import type { Payload } from '../artefacts/payload.ts'
import { rewriteBodies } from '../parsed-bodies.ts'
import type { Clients } from '../ports.ts'
import { type Assertion, isMatch } from './match.ts'
import { AssertionRefused, type Verifier } from './verify.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const federated = 'federated_jwt'

/** A token of a trusted issuer with which a client authenticates, on its way through the library's authentication. */
interface Handover {
  readonly assertion: string
  /** Stands for the assertion where the library wants a secret; it never leaves the process. */
  readonly secret: string
  /** Stands for the client that the assertion tells by itself. */
  readonly unnamed: string
  verified?: Promise<Assertion>
}

export interface Federation {
  /** Whether the request authenticated its client with this very assertion, which then counts as used. */
  hasUsed(ctx: Context, assertion: string): boolean
}

interface FederationDependencies {
  readonly ports: { readonly clients: Clients }
  readonly verifier: Verifier
}

/**
 * Client authentication by a token of a trusted issuer (RFC 7523 §2.2), at every endpoint that authenticates clients. The
 * library knows assertions of the client's own making alone, whose `iss` and `sub` are the client. So one with another
 * `iss` is put aside as the request's body arrives, with a secret of the moment in its place, and verified when the
 * library compares that secret.
 */
export function federate(provider: Provider, { ports, verifier }: FederationDependencies): Federation {
  const handovers = new WeakMap<Context, Handover>()
  const current = (): Handover | undefined => {
    const { ctx } = Provider
    return ctx === undefined ? undefined : handovers.get(ctx)
  }
  const verified = (handover: Handover): Promise<Assertion> => {
    handover.verified ??= verifier.verify(handover.assertion)
    return handover.verified
  }
  rewriteBodies(provider, (ctx, body) => putAside(ctx, body, handovers))

  const { Client } = provider
  const { compareClientSecret } = Client.prototype
  Client.prototype.compareClientSecret = async function compare(presented) {
    const client = await ports.clients.find(this.clientId)
    if (client?.authentication !== federated) return await compareClientSecret.call(this, presented)
    const handover = current()
    if (handover === undefined || presented !== handover.secret) return false
    await orInvalidClient(async () => {
      const assertion = await verified(handover)
      if (client.federatedCredentials?.some((credential) => isMatch(credential, assertion)) !== true)
        throw new AssertionRefused('the token is not one of those that the client has named')
      await verifier.use(assertion)
    })
    return true
  }
  const find = Client.find.bind(Client)
  Client.find = async (id) => {
    const handover = current()
    if (handover === undefined || id !== handover.unnamed) return await find(id)
    const clientId = await orInvalidClient(async () => onlyMatch(await verified(handover), ports.clients))
    return clientId === undefined ? undefined : await find(clientId)
  }
  return { hasUsed: (ctx, assertion) => handovers.get(ctx)?.assertion === assertion }
}

async function orInvalidClient<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AssertionRefused) throw new errors.InvalidClientAuth(error.message)
    throw error
  }
}

/** The client that the assertion stands for, if it stands for one alone. */
async function onlyMatch(assertion: Assertion, clients: Clients): Promise<string | undefined> {
  const matching = (await clients.listFederated()).filter(({ federatedCredentials = [] }) =>
    federatedCredentials.some((each) => isMatch(each, assertion)),
  )
  return matching.length === 1 ? matching[0]?.id : undefined
}

function putAside(ctx: Context, body: unknown, handovers: WeakMap<Context, Handover>): unknown {
  const form = (body ?? {}) as Payload
  const assertion = foreignAssertion(ctx, form)
  if (assertion === undefined) return body
  const handover = { assertion, secret: newSecret(), unnamed: `unnamed:${newSecret()}` }
  handovers.set(ctx, handover)
  const { client_assertion: _, client_assertion_type: __, ...rest } = form
  return { ...rest, client_id: rest.client_id || handover.unnamed, client_secret: handover.secret }
}

/** The assertion of somebody else with which the request authenticates its client, and nothing beside it. */
function foreignAssertion({ headers }: Context, form: Payload): string | undefined {
  if (headers.authorization !== undefined || form.client_secret) return undefined
  if (form.client_assertion === undefined) {
    const { grant_type: grantType, assertion } = form
    return grantType === jwtBearer && typeof assertion === 'string' ? assertion : undefined
  }
  const { client_assertion: assertion, client_assertion_type: type } = form
  return typeof assertion === 'string' && type === assertionType && isForeign(assertion)
    ? assertion
    : undefined
}

/** RFC 7523 §3: in a client's own assertion `iss` and `sub` are the same. */
function isForeign(assertion: string): boolean {
  try {
    const { iss, sub } = decodeJwt(assertion)
    return typeof iss === 'string' && typeof sub === 'string' && iss !== sub
  } catch {
    return false
  }
}
