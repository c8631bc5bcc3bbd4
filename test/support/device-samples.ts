import type { DeviceModel, PageModels } from '../../src/pages/models.ts'

type Names = 'device/code' | 'device/approved' | 'device/denied' | 'login/consent'

type Sample = {
  readonly [Name in Names]: {
    readonly name: string
    readonly template: Name
    readonly model: PageModels[Name]
  }
}[Names]

const action = '/device'
const client = { name: 'Acme Television' }
const unknown: DeviceModel = {
  userCode: 'BDWP-HQPK',
  startedAt: new Date('2026-01-01T12:00:00Z'),
  firstParty: false,
  address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
  sameNetwork: false,
}
const device: DeviceModel = { ...unknown, browser: 'Samsung Internet for Android', system: 'Tizen' }
const consent = {
  action: '/interaction/x8Jq/consent',
  abortAction: '/interaction/x8Jq/abort',
  switchAction: '/interaction/x8Jq/switch',
  client,
  account: { name: 'Ada Lovelace', email: 'ada@example.com' },
  scopes: [{ name: 'openid' }, { name: 'profile' }],
  resources: [{ name: 'Films', scopes: [{ name: 'films:watch', description: 'Watch films' }] }],
  offlineAccess: true,
  accessForSeconds: 86_400,
  newOnly: false,
}

const refused = (
  name: string,
  code: string,
  error: NonNullable<PageModels['device/code']['error']>,
): Sample => ({
  name: `device-code-${name}`,
  template: 'device/code',
  model: { action, code, asks: false, error },
})

/** The pages on which a device is brought to an account, in every state. */
export const deviceSamples: readonly Sample[] = [
  { name: 'device-code', template: 'device/code', model: { action, code: '', asks: false } },
  { name: 'device-code-asks', template: 'device/code', model: { action, code: 'BDWP-HQPK', asks: true } },
  refused('missing', '', { key: 'problem.device.missing' }),
  refused('unknown', 'BDWP-HQPP', { key: 'problem.device.unknown' }),
  refused('expired', 'BDWP-HQPK', { key: 'problem.device.expired' }),
  refused('used', 'BDWP-HQPK', { key: 'problem.device.used' }),
  refused('stale', 'BDWP-HQPK', { key: 'problem.device.stale' }),
  refused('too-many', 'BDWP-HQPK', { key: 'problem.device.too_many', params: { minutes: 2 } }),
  { name: 'device-consent', template: 'login/consent', model: { ...consent, device } },
  {
    name: 'device-consent-own',
    template: 'login/consent',
    model: {
      ...consent,
      device: { ...unknown, firstParty: true, sameNetwork: true },
    },
  },
  { name: 'device-approved', template: 'device/approved', model: { client } },
  { name: 'device-approved-unnamed', template: 'device/approved', model: {} },
  { name: 'device-denied', template: 'device/denied', model: { client } },
  { name: 'device-denied-unnamed', template: 'device/denied', model: {} },
]
