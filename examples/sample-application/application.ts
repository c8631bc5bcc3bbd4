/** The application's routes. What is about signing in stands in `sign-in.ts`. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { AuthorizationResponseError } from 'openid-client'
import { type Notice, personPage, welcomePage } from './pages.ts'
import { openSessions, remember, take } from './sessions.ts'
import type { SignIn } from './sign-in.ts'

export interface ApplicationSettings {
  /** The application's own address. */
  readonly url: URL
  readonly issuer: URL
  readonly signIn: SignIn
}

interface Exchange {
  readonly url: URL
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

type Route = (exchange: Exchange) => Promise<void> | void

const style = readFileSync(new URL('style.css', import.meta.url))

export function openApplication(settings: ApplicationSettings): RequestListener {
  const { url: own, issuer } = settings
  const routes = routesOf(settings)

  return async (request, response) => {
    response.setHeader('Content-Security-Policy', policy(issuer))
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Referrer-Policy', 'same-origin')
    response.setHeader('Cache-Control', 'no-store')
    const url = URL.parse(request.url ?? '/', own)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = url?.host === request.headers.host ? routes[`${method} ${url?.pathname}`] : undefined
    if (url === null || route === undefined) return answer(response, welcomePage(nothingNotice), 404)
    try {
      await route({ url, request, response })
    } catch (error) {
      const { status, ...notice } = explain(error, issuer)
      answer(response, welcomePage(notice), status)
    }
  }
}

function routesOf({ url: own, signIn }: ApplicationSettings): Readonly<Record<string, Route>> {
  const sessions = openSessions()

  return {
    'GET /': ({ url, request, response }) => {
      const { signedIn } = sessions.of(request, response)
      const signedOut = url.searchParams.get('state') === 'signed-out'
      answer(response, signedIn ? personPage(signedIn) : welcomePage(signedOut ? signedOutNotice : undefined))
    },

    'GET /sign-in': async ({ url, request, response }) => {
      const begun = await signIn.begin({ fresh: url.searchParams.has('fresh') })
      remember(sessions.of(request, response), begun.pending)
      redirect(response, begun.url)
    },

    'GET /callback': async ({ url, request, response }) => {
      const pending = take(sessions.of(request, response), url.searchParams.get('state') ?? '')
      if (pending === undefined) return answer(response, welcomePage(unknownNotice), 400)
      sessions.renew(request, response, await signIn.finish(url, pending))
      redirect(response, own)
    },

    'POST /sign-out': async ({ request, response }) => {
      // Another site cannot sign people out by sending them here.
      if (request.headers.origin !== own.origin) return answer(response, welcomePage(unknownNotice), 403)
      const { signedIn } = sessions.of(request, response)
      sessions.end(request)
      redirect(response, signedIn ? await signIn.endUrl(signedIn.idToken) : own)
    },

    'GET /style.css': ({ response }) => {
      response.writeHead(200, { 'Content-Type': 'text/css' }).end(style)
    },
  }
}

/** Content Security Policy Level 3. Signing out is a form, and ends at the issuer. */
const policy = (issuer: URL): string =>
  `default-src 'none'; style-src 'self'; img-src data:; form-action 'self' ${issuer.origin}; base-uri 'none'; frame-ancestors 'none'`

function answer(response: ServerResponse, page: string, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(page)
}

function redirect(response: ServerResponse, location: URL): void {
  response.writeHead(303, { Location: location.href }).end()
}

/** For people: what happened and what to do. Everything else goes to the log. */
function explain(error: unknown, issuer: URL): Notice & { readonly status: number } {
  if (error instanceof AuthorizationResponseError && error.error === 'access_denied') return deniedNotice
  console.error(error)
  if (error instanceof TypeError && error.message === 'fetch failed') {
    return {
      title: 'Latchkey does not answer',
      text: `Nothing listens at ${issuer.origin}. Start it and try again.`,
      status: 502,
    }
  }
  return { title: 'The sign-in did not work', text: 'Nothing was changed. Please try again.', status: 502 }
}

const signedOutNotice = {
  title: 'You are signed out',
  text: 'Of this application and of Latchkey. You can close this page.',
}
const unknownNotice = {
  title: 'Please start again',
  text: 'This sign-in was begun in another browser, or it has been finished already.',
}
const deniedNotice = {
  title: 'You were not signed in',
  text: 'You have cancelled, or not allowed the application to see your account. It has learnt nothing about you.',
  status: 403,
}
const nothingNotice = {
  title: 'There is nothing here',
  text: 'The address is not one of this application’s.',
}
