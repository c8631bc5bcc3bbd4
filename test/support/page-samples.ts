import type { PageModels } from '../../src/pages/models.ts'
import type { PageContext, Views } from '../../src/pages/views.ts'
import { deviceSamples } from './device-samples.ts'
import { errorSamples } from './error-page-samples.ts'
import { inboxSamples } from './inbox-samples.ts'
import { stepSamples } from './step-samples.ts'

/** One page as a person might meet it. */
export type PageSample = {
  [Name in keyof PageModels]: {
    readonly name: string
    readonly template: Name
    readonly model: PageModels[Name]
  }
}[keyof PageModels]

/** Renders a sample. The pair of template and model is right by construction, which a union cannot tell the compiler. */
export function renderSample(views: Views, page: PageContext, sample: PageSample): string {
  return views.render(page, sample.template, sample.model as never)
}

const drawing =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" fill="#fff"/><path d="M9 26 18 9l9 17z" fill="#e4572e"/></svg>'
const acme = {
  name: 'Acme Notes',
  clientUri: 'https://notes.acme.example/',
  policyUri: 'https://acme.example/privacy',
  tosUri: 'https://acme.example/terms',
}
/** An address that a preview answers with a picture; nothing is fetched from it in a test. */
export const sampleLogo = { url: 'https://acme.example/logo.svg', type: 'image/svg+xml', body: drawing }
const pictured = { ...acme, logoUri: sampleLogo.url }
const longNamed = {
  name: 'Verwaltungsgemeinschaft Donaudampfschifffahrtsgesellschaft Personalinformationssystem',
}
const ada = { name: 'Ada Lovelace', email: 'ada@example.com', username: 'ada' }
const urls = {
  action: '/login/x8Jq/password',
  abortAction: '/login/x8Jq/abort',
  switchAction: '/login/x8Jq/switch',
}

/** Every template in its realistic states; between them they show every message there is. */
export const pageSamples: readonly PageSample[] = [
  {
    name: 'consent',
    template: 'login/consent',
    model: {
      ...urls,
      client: pictured,
      account: ada,
      scopes: [{ name: 'openid' }, { name: 'profile' }, { name: 'email' }],
      resources: [],
      offlineAccess: false,
      accessForSeconds: 3600,
      newOnly: false,
    },
  },
  {
    name: 'consent-rich',
    template: 'login/consent',
    model: {
      ...urls,
      client: acme,
      account: { email: 'a.very.long.address.of.somebody@department.university.example.com' },
      scopes: [{ name: 'openid' }, { name: 'phone' }, { name: 'address' }],
      resources: [
        {
          name: 'Acme Documents',
          scopes: [
            { name: 'documents:read', description: 'Read your documents' },
            { name: 'documents:write', description: 'Create, change and delete your documents' },
          ],
        },
        { name: 'https://api.acme.example/calendar', scopes: [{ name: 'calendar:read' }] },
      ],
      offlineAccess: true,
      accessForSeconds: 30 * 86_400,
      newOnly: false,
    },
  },
  {
    name: 'consent-more',
    template: 'login/consent',
    model: {
      ...urls,
      client: longNamed,
      account: { username: 'ada' },
      scopes: [{ name: 'email' }],
      resources: [],
      offlineAccess: true,
      newOnly: true,
    },
  },
  {
    name: 'expired',
    template: 'login/expired',
    model: { client: { name: acme.name, uri: acme.clientUri }, signedIn: false, homeUrl: '/' },
  },
  { name: 'expired-unnamed', template: 'login/expired', model: { signedIn: false, homeUrl: '/' } },
  {
    name: 'expired-signed-in',
    template: 'login/expired',
    model: { client: { name: acme.name }, signedIn: true, homeUrl: '/' },
  },
  {
    name: 'other-browser',
    template: 'login/other-browser',
    model: { client: { name: acme.name, uri: acme.clientUri }, signedIn: false, homeUrl: '/' },
  },
  {
    name: 'other-browser-unnamed',
    template: 'login/other-browser',
    model: { signedIn: false, homeUrl: '/', keepsCookies: false },
  },
  {
    name: 'sign-out',
    template: 'logout/confirm',
    model: { action: '/session/end/confirm', xsrf: 'b0f6', account: ada },
  },
  {
    name: 'sign-out-client',
    template: 'logout/confirm',
    model: { action: '/session/end/confirm', xsrf: 'b0f6', client: acme, account: ada },
  },
  {
    name: 'sign-out-continue',
    template: 'logout/confirm',
    model: { action: '/session/end/confirm', xsrf: 'b0f6', client: acme, autoSubmit: true },
  },
  { name: 'signed-out', template: 'logout/done', model: { homeUrl: '/' } },
  { name: 'stayed', template: 'logout/done', model: { homeUrl: '/', stillSignedIn: true } },
  {
    name: 'signed-out-client',
    template: 'logout/done',
    model: { client: { name: acme.name, uri: acme.clientUri }, homeUrl: '/' },
  },
  { name: 'setup', template: 'setup/form', model: { action: '/setup', token: 'k3Yz', minimumLength: 8 } },
  {
    name: 'setup-wrong',
    template: 'setup/form',
    model: {
      action: '/setup',
      token: 'k3Yz',
      minimumLength: 8,
      values: { name: '', email: 'ada@example', username: 'ada lovelace' },
      errors: {
        name: { key: 'problem.users.identifier_missing' },
        email: { key: 'problem.users.email_invalid' },
        username: { key: 'problem.users.username_invalid' },
        password: { key: 'problem.passwords.too_short', params: { minimum: 8 } },
      },
    },
  },
  {
    name: 'setup-taken',
    template: 'setup/form',
    model: {
      action: '/setup',
      token: 'k3Yz',
      minimumLength: 8,
      values: { name: 'A'.repeat(300), email: 'ada@example.com', username: 'ada' },
      errors: {
        name: { key: 'problem.users.name_invalid', params: { maximum: 200 } },
        email: { key: 'problem.users.email_taken' },
        username: { key: 'problem.users.username_taken' },
        password: { key: 'problem.passwords.common' },
      },
    },
  },
  {
    name: 'setup-link-missing',
    template: 'setup/invalid',
    model: { reason: 'missing', command: 'npx latchkey setup' },
  },
  {
    name: 'setup-link-expired',
    template: 'setup/invalid',
    model: { reason: 'expired', command: 'npx latchkey setup' },
  },
  {
    name: 'setup-link-used',
    template: 'setup/invalid',
    model: { reason: 'used', command: 'npx latchkey setup' },
  },
  {
    name: 'password',
    template: 'password/choose',
    model: { action: '/password', token: 'k3Yz', account: ada, minimumLength: 8 },
  },
  {
    name: 'password-personal',
    template: 'password/choose',
    model: {
      action: '/password',
      token: 'k3Yz',
      account: { username: 'ada' },
      minimumLength: 15,
      errors: { password: { key: 'problem.passwords.personal' } },
    },
  },
  {
    name: 'password-too-long',
    template: 'password/choose',
    model: {
      action: '/password',
      token: 'k3Yz',
      account: ada,
      minimumLength: 8,
      errors: { password: { key: 'problem.passwords.too_long', params: { maximum: 1024 } } },
    },
  },
  { name: 'password-link', template: 'password/invalid-link', model: { homeUrl: '/' } },
  { name: 'password-done', template: 'password/done', model: { homeUrl: '/' } },
  {
    name: 'sign-out-telling',
    template: 'logout/telling',
    model: { frames: [], continueTo: '/' },
  },
  ...inboxSamples,
  ...stepSamples,
  ...deviceSamples,
  ...errorSamples,
]
