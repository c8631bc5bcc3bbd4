import type { Provider } from 'oidc-provider'

/** Where the server's own pages begin: everything below is a person's account. */
const home = '/'
const account = '/account'

const segments = /^(?:\/[a-z0-9-]{1,64}){0,4}$/
const query = /^[\w.~%&=+-]{0,1024}$/

/**
 * A path and query of a page to which a sign-in at the server itself may lead back: `/` or a page of the account, written
 * plainly. `undefined` for anything else: dots, percent signs and backslashes in the path, a second slash, a fragment.
 */
export function ownPage(target: string): string | undefined {
  if (target === home) return target
  const { path, search } = parted(target)
  if (!path.startsWith(account) || !segments.test(path.slice(account.length))) return undefined
  return search === undefined || query.test(search) ? target : undefined
}

/** Whether a redirect URI is a page of our own: our address to the letter, then an `ownPage`. */
export const isOwnRedirect = (uri: unknown, issuer: string): boolean =>
  typeof uri === 'string' && uri.startsWith(`${issuer}/`) && ownPage(uri.slice(issuer.length)) !== undefined

function parted(target: string): { readonly path: string; readonly search: string | undefined } {
  const mark = target.indexOf('?')
  return mark < 0
    ? { path: target, search: undefined }
    : { path: target.slice(0, mark), search: target.slice(mark + 1) }
}

/** The path of an endpoint as the server's own pages write it: without the path of the issuer, which the host puts before it. */
export const ownPath = (provider: Provider, endpoint: string): string =>
  provider.pathFor(endpoint, { mountPath: '' })
