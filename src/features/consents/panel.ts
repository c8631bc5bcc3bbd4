import type { Panel, PanelAct, PanelPage } from '../feature.ts'
import type { Connection, Connections } from './connections.ts'
import { type Consent, type Consents, notConnected } from './consents.ts'

interface Dependencies {
  readonly connections: Connections
  readonly consents: Pick<Consents, 'withdraw' | 'narrow'>
}

/** The applications that a person has let in, and what each may see. */
export const applicationsPanel = (dependencies: Dependencies): Panel => ({
  name: 'consents',
  page: 'applications',
  order: 10,

  show: async ({ userId }) => ({
    template: 'consents/panel',
    model: {
      applications: (await dependencies.connections.list(userId)).map((each) => ({
        ...each,
        narrowable: partsOf(each).length > 0,
      })),
    },
  }),

  pages: { narrow: narrowPage(dependencies) },
  acts: { withdraw: withdrawAct(dependencies), narrow: narrowAct(dependencies) },
})

const own = async ({ connections }: Dependencies, userId: string, client: string): Promise<Connection> => {
  const found = (await connections.list(userId)).find(({ clientId }) => clientId === client)
  if (found === undefined) throw notConnected()
  return found
}

const withdrawAct = (dependencies: Dependencies): PanelAct => ({
  async run({ userId, request }, { client = '' }) {
    const { name, firstParty } = await own(dependencies, userId, client)
    await dependencies.consents.withdraw(
      { userId, clientId: client },
      { actor: { kind: 'user', userId }, request },
    )
    const key = firstParty ? 'consents.ended' : 'consents.withdrawn'
    return { notice: { key, params: { client: name } } }
  },
})

/** A part that can be taken back by itself, and the field of the form that keeps it. */
interface Part {
  readonly field: string
  readonly scope?: { readonly name: string; readonly description?: string }
  readonly claim?: string
  /** The name of the API it is at. */
  readonly api?: string
}

/** Neither scopes, claims nor indicators have blanks in them, so each part has a name of its own. */
function partsOf({ firstParty, scopes, claims, resources, offlineAccess }: Connection): readonly Part[] {
  if (firstParty) return []
  const asked = scopes.filter(({ name }) => name !== 'openid')
  return [
    ...asked.map((scope) => ({ field: `scope ${scope.name}`, scope })),
    ...(offlineAccess ? [{ field: 'scope offline_access' }] : []),
    ...claims.map((claim) => ({ field: `claim ${claim}`, claim })),
    ...resources.flatMap(({ indicator, name: api, scopes: ofApi }) =>
      ofApi.map((scope) => ({ field: `api ${indicator} ${scope.name}`, scope, api })),
    ),
  ]
}

const narrowPage = (dependencies: Dependencies): PanelPage => ({
  title: 'consents.narrow-title',
  async show({ userId }, { client = '' }) {
    const connection = await own(dependencies, userId, client)
    return {
      template: 'consents/narrow',
      model: { client, name: connection.name, parts: partsOf(connection) },
    }
  },
})

const narrowAct = (dependencies: Dependencies): PanelAct => ({
  page: 'narrow',
  async run({ userId, request }, { client = '', ...form }) {
    const { name } = await own(dependencies, userId, client)
    await dependencies.consents.narrow({ userId, clientId: client }, keptIn(form), {
      actor: { kind: 'user', userId },
      request,
    })
    return { to: '/account/applications', notice: { key: 'consents.narrowed', params: { client: name } } }
  },
})

function keptIn(form: Readonly<Record<string, string>>): Consent {
  const words = Object.keys(form).map((field) => field.split(' '))
  const apis = words.flatMap(([kind, indicator = '', scope = '']) =>
    kind === 'api' ? [[indicator, scope] as const] : [],
  )
  const named = (wanted: string): readonly string[] =>
    words.flatMap(([kind, name = '']) => (kind === wanted ? [name] : []))
  return {
    scopes: named('scope'),
    claims: named('claim'),
    resources: Object.fromEntries(
      apis.map(([indicator]) => [
        indicator,
        apis.flatMap(([of, scope]) => (of === indicator ? [scope] : [])),
      ]),
    ),
  }
}
