import type { View } from '../../src/kernel/text.ts'
import type { AccountFrame, PageModels } from '../../src/pages/models.ts'

/** The pages around what features show, each with the part of some feature. */
type Sample<Name extends keyof PageModels = keyof PageModels> = {
  readonly [Each in Name]: {
    readonly name: string
    readonly template: Each
    readonly model: PageModels[Each]
  }
}[Name]

const acme = {
  name: 'Acme Notes',
  clientUri: 'https://notes.acme.example/',
  policyUri: 'https://acme.example/privacy',
  tosUri: 'https://acme.example/terms',
}
const pictured = { ...acme, logoUri: 'https://acme.example/logo.svg' }
const longNamed = {
  name: 'Verwaltungsgemeinschaft Donaudampfschifffahrtsgesellschaft Personalinformationssystem',
}
const ada = { name: 'Ada Lovelace', email: 'ada@example.com', username: 'ada' }
const path = '/interaction/x8Jq'
const blank = { errors: {}, values: {} }

const part = (template: string, model: View['model'] = {}): View => ({
  template,
  model: { ...blank, ...model },
})
const byPassword = part('passwords/first', { reset: '/reset-password' })
const byMail = part('email-codes/first', { start: `${path}/email-code/start` })
const byPasskey = part('passkeys/sign-in', { action: `${path}/passkey`, options: '{"challenge":"eA"}' })
const begun = { path, action: `${path}/password`, identifier: '', keep: true, parts: [byPassword], forms: [] }
const ways = [
  { label: { key: 'factor.email-code' }, action: `${path}/email-code/start` },
  { label: { key: 'factor.passkey' }, url: `${path}/passkey` },
]
const proving = {
  confirms: false,
  action: `${path}/totp`,
  client: acme,
  account: ada,
  ways,
  again: undefined,
  mayTrust: true,
  switchAction: `${path}/switch`,
}

const loginSamples: readonly Sample[] = [
  {
    name: 'sign-in',
    template: 'login/sign-in',
    model: {
      ...begun,
      client: acme,
      parts: [byPassword, byMail],
      forms: [byPasskey],
      abortAction: `${path}/abort`,
      registerPath: `${path}/register`,
    },
  },
  { name: 'sign-in-plain', template: 'login/sign-in', model: { ...begun, client: { name: 'Latchkey' } } },
  {
    name: 'sign-in-wrong',
    template: 'login/sign-in',
    model: {
      ...begun,
      client: pictured,
      identifier: 'ada@example.com',
      abortAction: `${path}/abort`,
      error: { key: 'problem.passwords.invalid_credentials' },
    },
  },
  {
    name: 'sign-in-throttled',
    template: 'login/sign-in',
    model: {
      ...begun,
      client: longNamed,
      identifier: 'ada',
      error: { key: 'problem.throttle.too_many_attempts', params: { minutes: 12 } },
    },
  },
  {
    name: 'sign-in-again',
    template: 'login/prove',
    model: { ...proving, confirms: true, client: pictured, part: part('passwords/show'), mayTrust: false },
  },
  {
    name: 'second-step',
    template: 'login/prove',
    model: { ...proving, part: part('totp/prove'), abortAction: `${path}/abort` },
  },
  {
    name: 'second-step-wrong',
    template: 'login/prove',
    model: {
      ...proving,
      client: longNamed,
      part: part('totp/prove', { errors: { code: { key: 'problem.totp.wrong_code' } } }),
    },
  },
  {
    name: 'second-step-send',
    template: 'login/prove',
    model: {
      ...proving,
      part: undefined,
      again: `${path}/email-code/start`,
      error: { key: 'problem.throttle.too_many_attempts', params: { minutes: 1 } },
    },
  },
  {
    name: 'enrol-choice',
    template: 'login/enrol',
    model: {
      action: `${path}/enrol`,
      client: acme,
      title: undefined,
      part: undefined,
      ways: [
        { label: { key: 'totp.enrolment' }, hint: { key: 'totp.enrolment-hint' }, url: `${path}/enrol/totp` },
      ],
      because: { key: 'enrol.because-now', params: { client: 'Acme Notes' } },
      laterAction: `${path}/later`,
      abortAction: `${path}/abort`,
    },
  },
  {
    name: 'enrol',
    template: 'login/enrol',
    model: {
      action: `${path}/enrol/totp`,
      client: acme,
      title: { key: 'totp.enrolment' },
      part: part('totp/enrol', {
        uri: 'otpauth://totp/Latchkey:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Latchkey',
        qr: { size: 4, path: 'M0 0h4v4h-4z' },
        groups: ['JBSW', 'Y3DP', 'EHPK', '3PXP'],
        number: 1,
      }),
      ways: [],
      because: { key: 'enrol.because-now', params: { client: 'Acme Notes' } },
      abortAction: undefined,
    },
  },
  {
    name: 'interlude',
    template: 'login/interlude',
    model: {
      action: `${path}/terms`,
      client: acme,
      part: part('terms/accept', {
        version: '2026-03',
        url: 'https://latchkey.example/terms',
        privacyUrl: 'https://latchkey.example/privacy',
        abortAction: `${path}/abort`,
      }),
    },
  },
]

const registerSamples: readonly Sample[] = [
  {
    name: 'register',
    template: 'registrations/form',
    model: {
      action: `${path}/register`,
      signInPath: path,
      client: acme,
      form: {
        minimumLength: 8,
        terms: { version: '2026-03', url: 'https://latchkey.example/terms' },
        fields: { template: 'profiles/registration', model: { fields: [], known: {}, longestLines: 500 } },
      },
      values: { email: 'ada@example' },
      errors: { email: { key: 'problem.users.email_invalid' } },
      first: 'email',
      abortAction: `${path}/abort`,
    },
  },
  {
    name: 'register-code',
    template: 'registrations/code',
    model: {
      action: `${path}/register/code`,
      againAction: `${path}/register/again`,
      changePath: `${path}/register`,
      client: acme,
      email: 'ada@example.com',
      errors: {},
    },
  },
  {
    name: 'register-closed',
    template: 'registrations/refused',
    model: { reason: 'closed', signInPath: path, client: acme },
  },
  {
    name: 'forgotten',
    template: 'password/forgotten',
    model: { action: '/reset-password', byMail: true, homeUrl: '/' },
  },
  {
    name: 'forgotten-no-mail',
    template: 'password/forgotten',
    model: { action: '/reset-password', byMail: false, homeUrl: '/' },
  },
  { name: 'forgotten-sent', template: 'password/sent', model: { resetUrl: '/reset-password' } },
]

const frame: AccountFrame = {
  person: { ...ada, administrator: true, picture: '/picture/x8Jq' },
  current: 'security',
  pages: [
    { name: 'profile', title: { key: 'account.profile' }, url: '/account' },
    { name: 'security', title: { key: 'account.security' }, url: '/account/security' },
  ],
  back: '/account/security',
  signOutAction: '/sign-out',
  notice: { key: 'password.changed' },
}

const accountSamples: readonly Sample[] = [
  {
    name: 'account',
    template: 'account/page',
    model: { frame, parts: [part('passwords/panel', { base: '/account/security/password' })] },
  },
  { name: 'account-empty', template: 'account/page', model: { frame: { ...frame, pages: [] }, parts: [] } },
  {
    name: 'account-part',
    template: 'account/part',
    model: {
      frame,
      title: { key: 'password.change-title' },
      part: part('passwords/change', {
        base: '/account/security/password',
        has: true,
        minimumLength: 8,
        login: 'ada@example.com',
        errors: { password: { key: 'problem.passwords.common' } },
      }),
      failed: true,
    },
  },
  {
    name: 'link',
    template: 'links/page',
    model: {
      title: { key: 'email-codes.here-title' },
      part: part('email-codes/link-here', {
        application: 'Acme Notes',
        at: new Date('2026-03-03T14:05:00Z'),
      }),
      token: 'x8Jq',
      action: '/link/email-code',
    },
  },
  {
    name: 'link-refused',
    template: 'links/refused',
    model: { problem: { key: 'problem.users.email_taken' } },
  },
]

export const stepSamples: readonly Sample[] = [...loginSamples, ...registerSamples, ...accountSamples]
