/**
 * Owns the hosted pages that belong to no single feature, and how a page is made: templates, language, form tokens.
 * Does not own what the pages decide about; that comes in through `ports.ts`.
 */
import { join } from 'node:path'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import type { AppError } from '../kernel/errors.ts'
import type { DevicePages, ProviderPages } from '../provider/index.ts'
import { accountRoutes } from './account/index.ts'
import { answerAsset } from './assets.ts'
import { openCsrf } from './csrf.ts'
import { devicePages } from './device/device-pages.ts'
import { deviceRoutes } from './device/index.ts'
import { errorPage, protocolErrorPage } from './errors.ts'
import { homeRoutes } from './home.ts'
import { inboxRoutes } from './inbox.ts'
import { linkRoutes } from './links.ts'
import { loginRoutes, openInteractionTools } from './login/index.ts'
import { locales } from './messages.ts'
import { openPageRenderer, type Pages } from './page.ts'
import { passwordRoutes } from './password.ts'
import { pictureRoutes } from './pictures.ts'
import type { PagePorts } from './ports.ts'
import { registerRoutes } from './register.ts'
import { setupRoutes } from './setup.ts'
import { type Brand, openViews as openViewsIn } from './views.ts'

export { uploadBytes } from './account/index.ts'
export type { AccountView, ClientView } from './models.ts'
export type { PageEvent, PagePorts, SetupForm } from './ports.ts'
export type { Brand, Views } from './views.ts'

export const openViews = (brand: Brand, basePath = '') =>
  openViewsIn({ directory: join(import.meta.dirname, '../../views'), brand, basePath })

/** The renderers that others call, which need nothing but the views. */
export interface PageRenderers {
  readonly pages: Pages
  /** The languages that there are, by BCP 47 tag. */
  readonly locales: readonly string[]
  error(ctx: Context, error: AppError): string
  provider(people: PagePorts['people']): ProviderPages
  readonly devices: { readonly pages: DevicePages; formToken(ctx: Context): string }
}

export function openRenderers({
  views,
  issuer,
  csrfKey,
}: Pick<PagePorts, 'views' | 'issuer' | 'csrfKey'>): PageRenderers {
  const csrf = openCsrf({ issuer, key: csrfKey })
  const pages = openPageRenderer(views, csrf)
  return {
    pages,
    locales,
    error: (ctx, error) => errorPage(pages, ctx, error),
    devices: { pages: devicePages(pages), formToken: csrf.token },
    provider: (people) => ({
      error: (ctx, failure) => protocolErrorPage(pages, ctx, failure),
      loggedOut: (ctx, { client, stillSignedIn }) =>
        pages.html(ctx, 'logout/done', {
          homeUrl: '/',
          stillSignedIn,
          ...(client && { client: named(client) }),
        }),
      tellingApplications: (ctx, page) => pages.html(ctx, 'logout/telling', { ...page }),
      async confirmLogout(ctx, { action, xsrf, client, userId, confirmed, returnsTo }) {
        ctx.state.formTargets = returnsTo === undefined ? [] : [returnsTo]
        const account = await people.view(userId)
        return pages.html(ctx, 'logout/confirm', {
          action,
          xsrf,
          autoSubmit: confirmed,
          ...(client && { client }),
          ...(account && { account }),
        })
      },
    }),
  }
}

const named = ({ name, uri }: { readonly name: string; readonly uri?: string | undefined }) =>
  uri === undefined ? { name } : { name, uri }

const firstSegments = new Set([
  '',
  'interaction',
  'setup',
  'set-password',
  'reset-password',
  'register',
  'sign-out',
  'signed-out',
  'assets',
  'account',
  'link',
  'picture',
  'inbox',
  'device',
])

/** All pages as one layer; what is not theirs goes on to the protocol. */
export function pageRoutes(ports: PagePorts, { pages }: PageRenderers): Middleware {
  const router = new Router()
  const csrf = openCsrf({ issuer: ports.issuer, key: ports.csrfKey })
  const tools = { pages, csrf }
  router.get('/assets/:name', async (ctx) => {
    const asset = ports.views.assets.get(ctx.path)
    if (asset !== undefined) await answerAsset(ctx, asset)
  })
  homeRoutes(router, ports, tools)
  accountRoutes(router, ports, tools)
  linkRoutes(router, ports, tools)
  pictureRoutes(router, ports)
  inboxRoutes(router, ports, tools)
  deviceRoutes(router, ports, tools)
  setupRoutes(router, ports, tools)
  passwordRoutes(router, ports, tools)
  // Before the sign-in, whose routes for any factor would take its paths.
  registerRoutes(router, ports, { ...tools, login: openInteractionTools({ ports, pages }) })
  loginRoutes(router, ports, tools)
  const routes = router.routes() as unknown as Middleware

  return (ctx, next) => (firstSegments.has(ctx.path.split('/', 2)[1] ?? '') ? routes(ctx, next) : next())
}
