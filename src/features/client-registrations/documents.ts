import type { Clock } from '../../kernel/clock.ts'
import { isLoopbackHttp } from '../../kernel/fields.ts'
import type { Log } from '../../kernel/log.ts'
import type { Client, Registering } from '../clients/index.ts'
import { completed, fieldsOf, type Metadata, own, scopesOf } from './metadata.ts'

/** Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document). */
export interface DocumentClients {
  /** The client that the document at its identifier describes; `undefined` where there is none that may be served. */
  find(id: string, stored: () => Promise<Client | undefined>): Promise<Client | undefined>
  /** Keeps a row of the client, so that what people allow it can refer to it and administrators see it. */
  keep(id: string): Promise<void>
}

export interface DocumentDependencies {
  readonly registering: Registering
  readonly clock: Clock
  readonly log: Log
  readonly issuer: string
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly settings: {
    readonly documents: 'off' | 'listed' | 'any'
    readonly documentHosts: readonly string[]
    readonly documentScopes: readonly string[]
    readonly documentMinimumSeconds: number
    readonly documentMaximumSeconds: number
  }
}

const mostKept = 1_000
const mostUnderWay = 20
const failureSeconds = 30
const maximumBytes = 16 * 1024
type Draft = ReturnType<Registering['draft']>

interface Kept {
  readonly draft: Draft | undefined
  readonly until: number
  /** As it was made for what is stored of it: the same object as long as nothing changes. */
  client?: Client | undefined
  stored?: Client | undefined
}

export function openDocumentClients(dependencies: DocumentDependencies): DocumentClients {
  const { registering, settings } = dependencies
  const current = openDocuments(dependencies)

  return {
    async find(id, stored) {
      if (!mayBeAsked(id, settings)) return undefined
      const row = await stored()
      // Nobody is asked about one that an administrator has disabled.
      if (row?.disabledAt !== undefined) return row
      const found = await current(id)
      if (found?.draft === undefined) return undefined
      if (found.client === undefined || found.stored !== row) {
        found.client = registering.client(id, found.draft, row)
        found.stored = row
      }
      return found.client
    },

    async keep(id) {
      const draft = mayBeAsked(id, settings) ? (await current(id))?.draft : undefined
      if (draft === undefined || (await registering.read(id)) !== undefined) return
      try {
        await registering.create(draft, { id, origin: 'document', also: async () => {} })
      } catch (error) {
        // Two people may be the first at once.
        if ((await registering.read(id)) === undefined) throw error
      }
    },
  }
}

/** What was fetched lately, within bounds. */
function openDocuments(dependencies: DocumentDependencies): (id: string) => Promise<Kept | undefined> {
  const { clock, log } = dependencies
  const kept = new Map<string, Kept>()
  const underWay = new Map<string, Promise<Kept>>()

  const fetchAnew = async (id: string): Promise<Kept> => {
    const now = clock.now().getTime()
    try {
      const { metadata, seconds } = await load(id, dependencies)
      return { draft: draftOf(id, metadata, dependencies), until: now + seconds * 1000 }
    } catch (error) {
      log.info(
        { clientId: id, reason: error instanceof Error ? error.message : String(error) },
        'a client document was refused',
      )
      return { draft: undefined, until: now + failureSeconds * 1000 }
    }
  }

  return async (id) => {
    const before = kept.get(id)
    if (before !== undefined && before.until > clock.now().getTime()) return before
    const already = underWay.get(id)
    if (already !== undefined) return await already
    // Strangers name these addresses: how many are asked at once has a bound.
    if (underWay.size >= mostUnderWay) return undefined
    const fetching = fetchAnew(id).finally(() => underWay.delete(id))
    underWay.set(id, fetching)
    const found = await fetching
    kept.delete(id)
    kept.set(id, found)
    if (kept.size > mostKept) kept.delete(kept.keys().next().value ?? id)
    return found
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

async function load(
  id: string,
  { fetch, settings }: DocumentDependencies,
): Promise<{ readonly metadata: Metadata; readonly seconds: number }> {
  const response = await fetch(id, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(5_000),
  })
  if (response.status !== 200) throw new Error(`it was answered with ${response.status}`)
  if (!/^application\/([\w.-]+\+)?json\b/i.test(response.headers.get('content-type') ?? ''))
    throw new Error('it is no JSON by its content type')
  const text = await response.text()
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
