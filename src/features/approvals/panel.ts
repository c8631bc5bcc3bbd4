import { AppError } from '../../kernel/errors.ts'
import type { Panel, PanelAct, Visit } from '../feature.ts'
import {
  type ApprovalDependencies,
  type ApprovalDoors,
  answerPath,
  inWords,
  type Waiting,
} from './approvals.ts'

interface Dependencies extends Pick<ApprovalDependencies, 'audit' | 'client' | 'api' | 'detailType'> {
  readonly doors: () => ApprovalDoors | undefined
}

/** What applications ask of a person who is elsewhere, on the page of his applications, each with a page for the answer. */
export function approvalPanel(dependencies: Dependencies): Panel {
  const { doors } = dependencies
  const view = openView(dependencies)
  return {
    name: 'approvals',
    page: 'applications',
    order: 1,

    async show({ userId }) {
      const waiting = (await doors()?.waiting(userId)) ?? []
      if (waiting.length === 0) return undefined
      return { template: 'approvals/panel', model: { requests: await Promise.all(waiting.map(view)) } }
    },

    pages: {
      answer: {
        title: 'approvals.page-title',
        async show({ userId, sessionUid }, { id = '' }) {
          const opened = doors()
          const asked = (await opened?.waiting(userId))?.find((each) => each.id === id)
          if (opened === undefined || asked === undefined) return { template: 'approvals/gone', model: {} }
          const lacking = await opened.missing(asked, sessionUid)
          const proveUrl = lacking && opened.provePath(lacking, answerPath(id))
          return {
            template: 'approvals/answer',
            model: { request: await view(asked), ...(proveUrl !== undefined && { proveUrl }) },
          }
        },
      },
    },

    acts: { approve: act(dependencies, true), deny: act(dependencies, false) },
  }
}

const act = ({ doors, audit, client }: Dependencies, approved: boolean): PanelAct => ({
  page: 'answer',
  async run({ userId, sessionUid, request }: Visit, { id = '' }) {
    const opened = doors()
    if (opened === undefined) throw notServing()
    const { clientId } = await opened.answer({ id, userId, sessionUid, approved })
    await audit.record({
      action: approved ? 'approvals.approved' : 'approvals.denied',
      outcome: approved ? 'success' : 'failure',
      actor: { kind: 'user', userId },
      userId,
      clientId,
      request,
    })
    const params = { application: (await client(clientId))?.name ?? clientId }
    return { notice: { key: approved ? 'approvals.approved' : 'approvals.denied', params } }
  },
})

const notServing = (): AppError =>
  new AppError('approvals.not_serving', 503, 'The server is starting. Try again in a moment.')

/** A request in words. */
const openView =
  ({ client, api, detailType }: Dependencies) =>
  async ({ id, clientId, bindingMessage, scopes, startedAt, expiresAt, ...asked }: Waiting) => {
    const facts = await client(clientId)
    const resources = await Promise.all(
      Object.entries(asked.resources).map(async ([indicator, wanted]) => {
        const known = await api(indicator)
        return {
          name: known?.name ?? indicator,
          scopes: known?.scopes.filter(({ name }) => wanted.includes(name)) ?? [],
        }
      }),
    )
    return {
      id,
      url: answerPath(id),
      application: { name: facts?.name ?? clientId, logoUri: facts?.logoUri, uri: facts?.clientUri },
      bindingMessage,
      offlineAccess: scopes.includes('offline_access'),
      scopes: scopes.filter((scope) => scope !== 'offline_access').map((name) => ({ name })),
      // Of an API that is only asked in detail nothing else is wanted.
      resources: resources.filter((resource) => resource.scopes.length > 0),
      details: await inWords(asked.authorizationDetails, { detailType }),
      startedAt,
      expiresAt,
    }
  }
