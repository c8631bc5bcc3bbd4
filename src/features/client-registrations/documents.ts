import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { isLoopbackHttp } from '../../kernel/fields.ts'
import type { Log } from '../../kernel/log.ts'
import type { Client, Registered, Registering } from '../clients/index.ts'
import { type Kept, openDocumentCache, Unreachable } from './document-cache.ts'
import { completed, fieldsOf, type Metadata, own, scopesOf } from './metadata.ts'

/** Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document). */
export interface DocumentClients {
  /** The client that the document at its identifier describes; `undefined` where there is none that may be served. */
  find(id: string, asking: Asking): Promise<Client | undefined>
  /** Keeps a row of the client, so that what people allow it can refer to it and administrators see it. */
  keep(id: string): Promise<void>
}

export interface Asking {
  /** What is kept of the client here. */
  stored(): Promise<Client | Registered['client'] | undefined>
  /** The address of whoever names it; `undefined` where nobody from outside does. */
  readonly address?: string | undefined
}

export interface DocumentDependencies {
  readonly registering: Registering
  readonly clock: Clock
  readonly log: Log
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** What of an address one sender is likely to have. */
  readonly keyOf: (address: string) => string
  readonly settings: {
    readonly documents: 'off' | 'listed' | 'any'
    readonly documentHosts: readonly string[]
    readonly documentScopes: readonly string[]
    readonly documentMinimumSeconds: number
    readonly documentMaximumSeconds: number
  }
}

const maximumBytes = 16 * 1024
type Draft = ReturnType<Registering['draft']>

export function openDocumentClients(dependencies: DocumentDependencies): DocumentClients {
  const { registering, settings, keyOf } = dependencies
  const documents = openDocumentCache({
    ...dependencies,
    staleSeconds: settings.documentMaximumSeconds,
    load: loading(dependencies),
  })

  return {
    async find(id, { stored, address }) {
      if (!mayBeAsked(id, settings)) return undefined
      const row = await stored()
      // Nobody is asked about one that an administrator has disabled.
      if (row?.disabledAt !== undefined) return row
      const sender = address === undefined ? undefined : keyOf(address)
      const kept = await documents.find(id, { isKnown: row !== undefined, sender })
      return kept && clientOf(id, kept, { row, registering })
    },

    async keep(id) {
      if (!mayBeAsked(id, settings) || (await registering.read(id)) !== undefined) return
      const draft = (await documents.find(id, { isKnown: false }))?.draft
      if (draft === undefined) return
      try {
        await registering.create(draft, { id, origin: 'document', also: async () => {} })
      } catch (error) {
        // Two people may be the first at once.
        if ((await registering.read(id)) === undefined) throw error
      }
    },
  }
}

interface Stored {
  readonly row: Awaited<ReturnType<Asking['stored']>>
  readonly registering: Registering
}

/** None where what the document says does not fit what administrators have set. */
function clientOf(id: string, kept: Kept, { row, registering }: Stored): Client | undefined {
  if (kept.client !== undefined && kept.stored === row) return kept.client
  try {
    kept.client = registering.client(id, kept.draft, { origin: 'document', stored: row })
    kept.stored = row
    return kept.client
  } catch (error) {
    if (error instanceof AppError && error.status < 500) return undefined
    throw error
  }
}

/** Throws the reason where there is no good document. */
const loading =
  (dependencies: DocumentDependencies) =>
  async (id: string): Promise<{ readonly draft: Draft; readonly seconds: number }> => {
    try {
      const { metadata, seconds } = await load(id, dependencies)
      return { draft: draftOf(id, metadata, dependencies), seconds }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      dependencies.log.info({ clientId: id, reason }, 'a client document was refused')
      throw error
    }
  }

/** Whether an identifier is an address as the specification wants it (§3), of a host that may describe clients. */
export function mayBeAsked(
  id: string,
  { documents, documentHosts }: Pick<DocumentDependencies['settings'], 'documents' | 'documentHosts'>,
): boolean {
  if (documents === 'off') return false
  const url = URL.parse(id)
  // Written as a parser would write it: no user, dot segment, default port, upper case, Unicode or backslash passes.
  const isPlain =
    url !== null &&
    url.href === id &&
    url.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.pathname !== '/' &&
    !/[#?]/.test(id) &&
    !/%2e|%2f|%5c|%00/i.test(id)
  return isPlain && (documents === 'any' || documentHosts.includes(url.hostname))
}

async function ask(
  id: string,
  fetch: DocumentDependencies['fetch'],
): Promise<{ readonly response: Response; readonly text: string }> {
  try {
    const response = await fetch(id, { headers: { accept: 'application/json' } })
    return { response, text: await response.text() }
  } catch (cause) {
    throw new Unreachable(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

async function load(
  id: string,
  { fetch, settings }: DocumentDependencies,
): Promise<{ readonly metadata: Metadata; readonly seconds: number }> {
  const { response, text } = await ask(id, fetch)
  const { status } = response
  if (status >= 500 || status === 429) throw new Unreachable(`it was answered with ${status}`)
  if (status !== 200) throw new Error(`it was answered with ${status}`)
  if (!/^application\/([\w.-]+\+)?json\b/i.test(response.headers.get('content-type') ?? ''))
    throw new Error('it is no JSON by its content type')
  if (text.length > maximumBytes) throw new Error('it is too long')
  const metadata = JSON.parse(text) as unknown
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new Error('it is no JSON object')
  const said = /(?:^|,)\s*max-age\s*=\s*(\d{1,9})/i.exec(response.headers.get('cache-control') ?? '')?.[1]
  const seconds = Math.min(
    settings.documentMaximumSeconds,
    Math.max(settings.documentMinimumSeconds, Number(said ?? 0)),
  )
  return { metadata: metadata as Metadata, seconds }
}

/** What is never taken from a stranger's document: pictures, and what makes the server call him. */
const leftAside = new Set([
  'logoUri',
  'backchannelLogoutUri',
  'backchannelLogoutSessionRequired',
  'frontchannelLogoutUri',
  'frontchannelLogoutSessionRequired',
  'sectorIdentifierUri',
  'initiateLoginUri',
  'backchannelClientNotificationEndpoint',
])
const secretMethods = new Set(['client_secret_basic', 'client_secret_post', 'client_secret_jwt'])

/** The draft that a document describes. Throws with the reason where it describes none. */
function draftOf(id: string, metadata: Metadata, { registering, settings }: DocumentDependencies): Draft {
  if (own(metadata, 'client_id') !== id) throw new Error('its client_id is not its address')
  if (
    own(metadata, 'client_secret') !== undefined ||
    secretMethods.has(String(own(metadata, 'token_endpoint_auth_method')))
  )
    throw new Error('it speaks of a shared secret, which a public document cannot have')
  const { origin } = new URL(id)
  const fields = fieldsOf(metadata, (name) => registering.knows(name) && !leftAside.has(name))
  for (const name of ['clientUri', 'policyUri', 'tosUri', 'jwksUri'])
    if (typeof fields[name] === 'string' && URL.parse(fields[name])?.origin !== origin) delete fields[name]
  const draft = registering.draft({
    ...completed(metadata, { authentication: 'none', ...fields }),
    name: fields.name ?? new URL(id).host,
    scopes: scopesOf(metadata, settings.documentScopes),
  })
  // Whoever controls the address may send people back to it, or to their own machines, and nowhere else.
  const foreign = [...draft.redirectUris, ...draft.postLogoutRedirectUris].find(
    (uri) => !isLoopbackHttp(uri) && URL.parse(uri)?.origin !== origin,
  )
  if (foreign !== undefined)
    throw new Error(`${foreign} is neither at its own origin nor on the person's machine`)
  const grant = draft.grantTypes.find((each) => each !== 'authorization_code' && each !== 'refresh_token')
  if (grant !== undefined) throw new Error(`the grant ${grant} is not for clients that nobody has registered`)
  return draft
}
