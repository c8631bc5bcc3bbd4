import type { Context } from 'koa'
import type { AppError } from '../kernel/errors.ts'
import type { ProviderFailure } from '../provider/index.ts'
import type { ErrorModel, Text } from './models.ts'
import { factsOf, type Pages } from './page.ts'
import { problemOf } from './problems.ts'

const words = {
  'bad-request': { title: { key: 'error.bad-request.title' }, message: { key: 'error.bad-request.message' } },
  forbidden: { title: { key: 'error.forbidden.title' }, message: { key: 'error.forbidden.message' } },
  stale: { title: { key: 'error.stale.title' }, message: { key: 'error.stale.message' } },
  'not-found': { title: { key: 'error.not-found.title' }, message: { key: 'error.not-found.message' } },
  'too-large': { title: { key: 'error.too-large.title' }, message: { key: 'error.too-large.message' } },
  'too-many': { title: { key: 'error.too-many.title' }, message: { key: 'error.too-many.message' } },
  unavailable: { title: { key: 'error.unavailable.title' }, message: { key: 'error.unavailable.message' } },
  internal: { title: { key: 'error.internal.title' }, message: { key: 'error.internal.message' } },
  authorization: {
    title: { key: 'error.authorization.title' },
    message: { key: 'error.authorization.message' },
  },
  'sign-out': { title: { key: 'error.authorization.title' }, message: { key: 'error.sign-out.message' } },
} as const satisfies Readonly<Record<string, { readonly title: Text; readonly message: Text }>>

type Kind = Exclude<keyof typeof words, 'authorization' | 'sign-out'>

const byStatus: Readonly<Record<number, Kind>> = {
  403: 'forbidden',
  404: 'not-found',
  413: 'too-large',
  414: 'too-large',
  429: 'too-many',
  503: 'unavailable',
}

const kindOf = ({ code, status }: AppError): Kind => {
  if (code === 'host.forged_form') return 'stale'
  return byStatus[status] ?? (status >= 500 ? 'internal' : 'bad-request')
}

const home = { url: '/', label: { key: 'page.home' } } as const

/** The page for an error of ours; what has words of its own says them. */
export function errorPage(pages: Pages, ctx: Context, error: AppError): string {
  const again = pathToTryAgain(ctx, error)
  const { title, message } = words[kindOf(error)]
  return pages.html(ctx, 'error', {
    title,
    message: problemOf(error, pages)?.text ?? message,
    status: error.status,
    code: error.code,
    requestId: factsOf(ctx).requestId,
    action: again === undefined ? home : { url: again, label: { key: 'error.try-again' } },
  })
}

/** Where doing the same again may go well: the page that failed, or the form of a sign-in that is still under way. */
function pathToTryAgain(ctx: Context, error: AppError): string | undefined {
  if (ctx.method === 'GET') return error.status >= 500 ? ctx.path : undefined
  return kindOf(error) === 'stale'
    ? /^\/interaction\/[\w-]+(?:\/other(?=\/))?/.exec(ctx.path)?.[0]
    : undefined
}

/** The page for an error that the protocol cannot send back to the application. */
export function protocolErrorPage(pages: Pages, ctx: Context, failure: ProviderFailure): string {
  const { error, status, description, client } = failure
  const { requestId } = factsOf(ctx)
  if (error === 'session_not_found') {
    return pages.html(ctx, 'login/expired', {
      signedIn: false,
      homeUrl: '/',
      ...(client === undefined ? undefined : { client: clientView(client) }),
    })
  }
  const refused = ctx.path.startsWith('/session/end') ? 'sign-out' : 'authorization'
  const kind = status === 503 ? 'unavailable' : status >= 500 ? 'internal' : refused
  const model: ErrorModel = {
    ...words[kind],
    status,
    code: error,
    requestId,
    ...(description === undefined ? undefined : { description }),
  }
  const back =
    client?.uri === undefined
      ? undefined
      : { url: client.uri, label: { key: 'page.return', params: { client: client.name } } as const }
  return pages.html(ctx, 'error', { ...model, action: back ?? home })
}

const clientView = ({ name, uri }: { name: string; uri?: string | undefined }) =>
  uri === undefined ? { name } : { name, uri }
