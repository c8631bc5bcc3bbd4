import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'
import { type Access, type Consent, type ConsentDependencies, type Consents, merged } from './consents.ts'

/** An application that has, or may have at once, access to something of a person. */
export interface Connection {
  readonly clientId: string
  readonly name: string
  readonly logoUri?: string
  /** Where its name leads: to a sign-in that it begins, else to its home page. */
  readonly uri?: string
  /** The operator's own: nobody is asked about it. */
  readonly firstParty: boolean
  readonly since: Date
  readonly lastUsedAt?: Date
  /** Keeps its access when the person signs out. */
  readonly offlineAccess: boolean
  readonly scopes: readonly { readonly name: string }[]
  /** Single claims beside the scopes. */
  readonly claims: readonly string[]
  readonly resources: readonly {
    readonly indicator: string
    readonly name: string
    readonly scopes: readonly { readonly name: string; readonly description?: string }[]
  }[]
  /** What is remembered in all its particulars (RFC 9396). */
  readonly details: readonly { readonly title: string; readonly detail: AuthorizationDetail }[]
}

export interface Connections {
  /** By name. */
  list(userId: string): Promise<readonly Connection[]>
}

type Dependencies = Pick<ConsentDependencies, 'issuer' | 'accessOfUser' | 'client' | 'api' | 'detailType'> & {
  readonly consents: Pick<Consents, 'list'>
}

/** What was allowed, by the names that people read. */
const inWords = ({ api, detailType }: Pick<Dependencies, 'api' | 'detailType'>) => ({
  resourcesOf: (resources: Consent['resources']): Promise<Connection['resources']> =>
    Promise.all(
      Object.entries(resources).map(async ([indicator, scopes]) => {
        const known = await api(indicator)
        return {
          indicator,
          name: known?.name ?? indicator,
          scopes: scopes.map((name) => known?.scopes.find((scope) => scope.name === name) ?? { name }),
        }
      }),
    ),

  detailsOf: (details: readonly AuthorizationDetail[]): Promise<Connection['details']> =>
    Promise.all(
      details.map(async (detail) => ({
        title: (await detailType(detail.type))?.title ?? detail.type,
        detail,
      })),
    ),
})

/** What is remembered, and what is held at the moment, each of which can be there without the other. */
export const openConnections = (dependencies: Dependencies): Connections => {
  const { issuer, accessOfUser, client, consents } = dependencies
  const { resourcesOf, detailsOf } = inWords(dependencies)

  const connectionOf = async (held: Held): Promise<readonly Connection[]> => {
    const { clientId, since, lastUsedAt, allowed } = held
    const facts = await client(clientId)
    if (facts === undefined) return []
    const { name, firstParty, logoUri, clientUri, initiateLoginUri } = facts
    const uri = initiateLoginUri === undefined ? clientUri : loginAt(initiateLoginUri, issuer)
    const connection = {
      clientId,
      name,
      firstParty,
      since,
      offlineAccess: allowed.scopes.includes('offline_access'),
      scopes: allowed.scopes.filter((scope) => scope !== 'offline_access').map((scope) => ({ name: scope })),
      claims: allowed.claims,
      resources: await resourcesOf(allowed.resources),
      details: await detailsOf(allowed.authorizationDetails ?? []),
      ...(logoUri && { logoUri }),
      ...(uri && { uri }),
      ...(lastUsedAt && { lastUsedAt }),
    }
    return [connection]
  }

  return {
    async list(userId) {
      const [remembered, access] = await Promise.all([consents.list(userId), accessOfUser(userId)])
      const clientIds = [...new Set([...remembered, ...access].map(({ clientId }) => clientId))]
      const held = clientIds.map((clientId) =>
        together(
          clientId,
          remembered.find((consent) => consent.clientId === clientId),
          access.find((each) => each.clientId === clientId),
        ),
      )
      const connections = (await Promise.all(held.map(connectionOf))).flat()
      return connections.toSorted((a, b) => a.name.localeCompare(b.name))
    },
  }
}

/** Third-party-initiated login: the client is told who asks it to send the person there (OpenID Connect Core 1.0 §4). */
function loginAt(initiateLoginUri: string, issuer: string): string {
  const uri = new URL(initiateLoginUri)
  uri.searchParams.set('iss', issuer)
  return uri.href
}

interface Held {
  readonly clientId: string
  readonly since: Date
  readonly lastUsedAt: Date | undefined
  readonly allowed: Consent
}

function together(
  clientId: string,
  consent: (Consent & { readonly createdAt: Date }) | undefined,
  access: Access | undefined,
): Held {
  const nothing: Consent = { scopes: [], claims: [], resources: {} }
  const given = access === undefined ? nothing : { ...access, claims: [] }
  const instants = [consent?.createdAt, access?.since].filter((at) => at !== undefined)
  return {
    clientId,
    since: new Date(Math.min(...instants.map((at) => at.getTime()))),
    lastUsedAt: access?.lastUsedAt,
    allowed: merged(consent, given),
  }
}
