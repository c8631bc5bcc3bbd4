import { type Access, type Consent, type ConsentDependencies, type Consents, merged } from './consents.ts'

/** An application that has, or may have at once, access to something of a person. */
export interface Connection {
  readonly clientId: string
  readonly name: string
  readonly logoUri?: string
  readonly clientUri?: string
  /** The operator's own: nobody is asked about it. */
  readonly firstParty: boolean
  readonly since: Date
  readonly lastUsedAt?: Date
  /** Keeps its access when the person signs out. */
  readonly offlineAccess: boolean
  readonly scopes: readonly { readonly name: string }[]
  readonly resources: readonly {
    readonly name: string
    readonly scopes: readonly { readonly name: string; readonly description?: string }[]
  }[]
}

export interface Connections {
  /** By name. */
  list(userId: string): Promise<readonly Connection[]>
}

type Dependencies = Pick<ConsentDependencies, 'accessOfUser' | 'client' | 'api'> & {
  readonly consents: Pick<Consents, 'list'>
}

/** What is remembered, and what is held at the moment, each of which can be there without the other. */
export const openConnections = ({ accessOfUser, client, api, consents }: Dependencies): Connections => {
  const resourcesOf = (resources: Consent['resources']): Promise<Connection['resources']> =>
    Promise.all(
      Object.entries(resources).map(async ([indicator, scopes]) => {
        const known = await api(indicator)
        return {
          name: known?.name ?? indicator,
          scopes: scopes.map((name) => known?.scopes.find((scope) => scope.name === name) ?? { name }),
        }
      }),
    )

  const connectionOf = async (held: Held): Promise<readonly Connection[]> => {
    const { clientId, since, lastUsedAt, allowed } = held
    const facts = await client(clientId)
    if (facts === undefined) return []
    const { name, firstParty, logoUri, clientUri } = facts
    const connection = {
      clientId,
      name,
      firstParty,
      since,
      offlineAccess: allowed.scopes.includes('offline_access'),
      scopes: allowed.scopes.filter((scope) => scope !== 'offline_access').map((scope) => ({ name: scope })),
      resources: await resourcesOf(allowed.resources),
      ...(logoUri && { logoUri }),
      ...(clientUri && { clientUri }),
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
