import type { ErrorModel } from '../../src/pages/models.ts'

/** The error page for each failure that has words of its own. */
export const errorSamples = [
  sample('error-internal', {
    status: 500,
    title: { key: 'error.internal.title' },
    message: { key: 'error.internal.message' },
    action: { url: '/login/x8Jq', label: { key: 'error.try-again' } },
  }),
  sample('error-authorization', {
    status: 400,
    code: 'invalid_redirect_uri',
    description: "redirect_uri did not match any of the client's registered redirect_uris",
    title: { key: 'error.authorization.title' },
    message: { key: 'error.authorization.message' },
    action: { url: 'https://acme.example/', label: { key: 'page.return', params: { client: 'Acme Notes' } } },
  }),
  sample('error-bad-request', {
    status: 400,
    code: 'host.malformed_body',
    title: { key: 'error.bad-request.title' },
    message: { key: 'error.bad-request.message' },
    action: { url: '/', label: { key: 'page.home' } },
  }),
  sample('error-forbidden', {
    status: 403,
    title: { key: 'error.forbidden.title' },
    message: { key: 'error.forbidden.message' },
  }),
  sample('error-stale', {
    status: 403,
    code: 'host.stale_form',
    title: { key: 'error.stale.title' },
    message: { key: 'error.stale.message' },
  }),
  sample('error-not-found', {
    status: 404,
    title: { key: 'error.not-found.title' },
    message: { key: 'error.not-found.message' },
  }),
  sample('error-too-large', {
    status: 413,
    title: { key: 'error.too-large.title' },
    message: { key: 'error.too-large.message' },
  }),
  sample('error-too-many', {
    status: 429,
    title: { key: 'error.too-many.title' },
    message: { key: 'error.too-many.message' },
  }),
  sample('error-unavailable', {
    status: 503,
    title: { key: 'error.unavailable.title' },
    message: { key: 'error.unavailable.message' },
  }),
]

function sample(name: string, model: Omit<ErrorModel, 'requestId'>) {
  return { name, template: 'error', model: { ...model, requestId: '01JD6Z8K4M2Q9R7T5V3X' } } as const
}
