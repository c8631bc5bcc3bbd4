import type { Context, Middleware } from 'koa'
import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import { AppError } from '../../kernel/errors.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { Area } from '../area.ts'
import { AssertionRefused, type Verifier } from '../assertions/verify.ts'
import { clientMetadata, serverScopesOf } from '../client-metadata.ts'
import type { InstanceInputs } from '../inputs.ts'
import type { ProviderClient } from '../ports.ts'
import { readJsonObject } from './body.ts'
import type { Arrival, Metadata, RegistrationAnswer } from './ports.ts'

const path = '/reg'

/**
 * Clients that register themselves (RFC 7591, RFC 7592) or are described by a document. The endpoint is our own, as the
 * library's keeps secrets readable and writes clients past our checks; a document's client is found where all are.
 */
export const registration: Area = {
  options: ({ issuer, ports: { registrations } }) => ({
    discovery: {
      ...(registrations.offers.registration && { registration_endpoint: `${issuer}${path}` }),
      ...(registrations.offers.documents && { client_id_metadata_document_supported: true }),
    },
  }),
  extend(provider, inputs) {
    if (inputs.ports.registrations.offers.registration) provider.use(endpoint(provider, inputs))
  },
}

function endpoint(provider: Provider, inputs: InstanceInputs): Middleware {
  const { verifier, ports } = inputs
  const serverScopes = serverScopesOf(ports.accounts)
  const arrivalOf = (ctx: Context): Arrival<ProviderClient> => ({
    token: bearer(ctx),
    facts: ctx.state.facts as RequestFacts,
    // Whatever the library would not understand later is refused now.
    accepts: (client) => void Reflect.construct(provider.Client, [clientMetadata(client, serverScopes)]),
    statement: (jwt, issuers) => believed(verifier, jwt, issuers),
  })
  return async (ctx, next) => {
    const clientId = addressed(ctx.path)
    if (clientId === undefined) return await next()
    allowOrigins(ctx)
    if (ctx.method === 'OPTIONS') return preflight(ctx)
    try {
      await answer(ctx, clientId, { inputs, arrival: arrivalOf(ctx) })
    } catch (error) {
      refuse(ctx, error)
    }
  }
}

/** The client at a path of the endpoint; empty for the endpoint itself. */
function addressed(asked: string): string | undefined {
  if (asked === path) return ''
  const id = asked.startsWith(`${path}/`) ? asked.slice(path.length + 1) : undefined
  return id !== undefined && /^[\w.~-]{1,64}$/.test(id) ? id : undefined
}

interface Answering {
  readonly inputs: InstanceInputs
  readonly arrival: Arrival<ProviderClient>
}

async function answer(ctx: Context, clientId: string, { inputs, arrival }: Answering): Promise<void> {
  const { issuer, ports } = inputs
  const { registrations } = ports
  const show = (status: number, { metadata, token, ...registered }: RegistrationAnswer): void => {
    ctx.status = status
    ctx.body = {
      ...metadata,
      registration_client_uri: `${issuer}${path}/${registered.clientId}`,
      registration_access_token: token,
    }
  }
  ctx.set('Cache-Control', 'no-store')
  if (clientId === '' && ctx.method === 'POST')
    return show(201, await registrations.register(await readJsonObject(ctx), arrival))
  if (clientId !== '' && ctx.method === 'GET') return show(200, await registrations.read(clientId, arrival))
  if (clientId !== '' && ctx.method === 'PUT')
    return show(200, await registrations.update(clientId, await readJsonObject(ctx), arrival))
  if (clientId !== '' && ctx.method === 'DELETE') {
    await registrations.remove(clientId, arrival)
    ctx.status = 204
    return
  }
  ctx.set('Allow', clientId === '' ? 'POST, OPTIONS' : 'GET, PUT, DELETE, OPTIONS')
  ctx.status = 405
  const text = 'Use POST at the registration endpoint; use GET, PUT or DELETE at registration_client_uri.'
  ctx.body = { error: 'invalid_request', error_description: text }
}

function bearer(ctx: Context): string | undefined {
  return /^Bearer +([\w.~+/=-]{1,512})$/i.exec(ctx.get('authorization'))?.[1]
}

/** Scripts of any page may register: there is nothing here that a browser would add by itself. */
function allowOrigins(ctx: Context): void {
  if (ctx.get('origin') === '') return
  ctx.set('Access-Control-Allow-Origin', '*')
  ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate')
}

function preflight(ctx: Context): void {
  ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE')
  ctx.set('Access-Control-Allow-Headers', 'authorization, content-type, mcp-protocol-version')
  ctx.set('Access-Control-Max-Age', '3600')
  ctx.status = 204
}

async function believed(verifier: Verifier, jwt: string, issuers: readonly string[]): Promise<Metadata> {
  try {
    const assertion = await verifier.verify(jwt)
    if (!issuers.includes(assertion.issuer.issuer))
      throw new AssertionRefused('its issuer states no software here')
    await verifier.use(assertion)
    return assertion.claims
  } catch (error) {
    if (!(error instanceof AssertionRefused)) throw error
    const text =
      'The software statement is not believed. It must be a valid JWT of an issuer that is trusted for it.'
    throw new AppError('client-registrations.invalid_software_statement', 400, text, { cause: error })
  }
}

/** Every refusal in the shape of RFC 7591 §3.2.2; what is no refusal goes on to the one error renderer. */
function refuse(ctx: Context, error: unknown): void {
  if (error instanceof AppError && (error.status < 500 || error.status === 503)) {
    const code = error.code.split('.').at(-1) ?? ''
    ctx.status = error.status
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds))
    if (error.status === 401) ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"')
    ctx.body = {
      error: protocolCodes.get(error.status) ?? protocolError(code),
      error_description: error.message,
    }
    return
  }
  if (!(error instanceof errors.OIDCProviderError)) throw error
  ctx.status = error.statusCode
  ctx.body = { error: error.error, error_description: error.error_description ?? error.message }
}

const protocolCodes: ReadonlyMap<number, string> = new Map([
  [401, 'invalid_token'],
  [403, 'access_denied'],
  [429, 'temporarily_unavailable'],
  [503, 'temporarily_unavailable'],
])

const known = new Set([
  'invalid_redirect_uri',
  'invalid_client_metadata',
  'invalid_software_statement',
  'invalid_request',
])
const protocolError = (code: string): string => (known.has(code) ? code : 'invalid_client_metadata')
