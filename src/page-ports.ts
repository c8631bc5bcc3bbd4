import type { App } from './app.ts'
import type { Panel } from './features/feature.ts'
import { addressKey } from './features/throttle/index.ts'
import type { PagePorts } from './pages/index.ts'
import type { ProviderHandle } from './provider/index.ts'

/** What a page may show of a person. */
export function personView({ users }: App['features']): PagePorts['people']['view'] {
  return async (userId) => {
    const user = await users.users.find(userId)
    if (!users.users.isActive(user)) return undefined
    const { name, email, username, administrator, locale } = user
    return {
      administrator,
      ...(name && { name }),
      ...(email && { email }),
      ...(username && { username }),
      ...(locale && { locale }),
    }
  }
}

/** What stands on the pages of people's accounts. */
export const panelsOf = (all: App['all']): readonly Panel[] => all.flatMap(({ panels }) => panels ?? [])

function clientView({ clients }: App['features']): PagePorts['clients']['view'] {
  return async (id) => {
    const client = await clients.clients.find(id)
    if (client === undefined) return undefined
    const { name, logoUri, clientUri, policyUri, tosUri, origin } = client
    return {
      name,
      ...(origin !== 'administrator' && { unchecked: true }),
      ...(logoUri && { logoUri }),
      ...(clientUri && { clientUri }),
      ...(policyUri && { policyUri }),
      ...(tosUri && { tosUri }),
    }
  }
}

const passwordLinks = ({ passwords: { passwords } }: App['features']): PagePorts['passwords'] => ({
  minimumLength: passwords.minimumLength,
  async readLink(token) {
    const user = await passwords.readLink(token)
    if (user === undefined) return undefined
    const { name, email, username } = user
    return { ...(name && { name }), ...(email && { email }), ...(username && { username }) }
  },
  chooseByLink: async (token, password, request) =>
    void (await passwords.chooseByLink({ token, password, request })),
  resetsByMail: passwords.resetsByMail,
  requestReset: passwords.requestReset,
})

export interface PageInputs {
  readonly provider: ProviderHandle
  readonly issuer: URL
  readonly sampleUrl: string | undefined
  readonly views: PagePorts['views']
}

/** The pages' needs, met by the features and the provider. */
export function pagePorts(app: App, { provider, issuer, sampleUrl, views }: PageInputs): PagePorts {
  const { all, features, config, clock, sealing } = app
  const { resources, setup, audit, profiles } = features
  return {
    issuer,
    views,
    clock,
    csrfKey: sealing.derive('csrf'),
    interactions: provider.interactions,
    signIn: provider,
    people: { view: personView(features) },
    clients: { view: clientView(features) },
    apis: { view: resources.resources.findByIndicator },
    detailTypes: { view: features.authorizationTypes.types.find },
    consents: consentPorts(features),
    describeBrowser: features.sessions.describeBrowser,
    networkOf: addressKey,
    factors: all.flatMap(({ factor }) => factor ?? []),
    account: {
      panels: panelsOf(all),
      key: sealing.derive('account'),
      reauthenticationSeconds: config.account.reauthenticationSeconds,
      picture: profiles.profiles.picturePath,
    },
    links: all.flatMap(({ links }) => links ?? []),
    pictures: { find: profiles.profiles.findPicture },
    inbox: features.mail.inbox,
    interludes: all.flatMap(({ interlude }) => interlude ?? []),
    attempts: features.attempts.attempts,
    policy: features.policy.policy,
    trustedDevices: features.trustedDevices.trustedDevices,
    registration: {
      ...features.registrations.registration,
      isOpen: () => features.registrations.registration.mode === 'open',
    },
    setup: {
      isNeeded: setup.setup.isNeeded,
      linkState: setup.setup.linkState,
      complete: async (form, request) => void (await setup.setup.complete(form, request)),
    },
    passwords: passwordLinks(features),
    record: audit.audit.record,
    sampleUrl,
    refreshLifetimeSeconds: refreshLifetime(app),
  }
}

const consentPorts = ({ consents, clientRegistrations }: App['features']): PagePorts['consents'] => ({
  ...consents.consents,
  async remember(owner, allowed, request) {
    // What is remembered refers to the client, of which nothing is kept before.
    await clientRegistrations.described.keep(owner.clientId)
    await consents.consents.remember(owner, allowed, request)
  },
})

/** For how long an application can renew what it was given: as long as the server lets it, or less by its own setting. */
const refreshLifetime =
  ({ features, config }: App): PagePorts['refreshLifetimeSeconds'] =>
  async (clientId) => {
    const { refreshTokenMaximumSeconds: maximum } = config.provider
    const client = await features.clients.clients.find(clientId)
    return Math.min(maximum, client?.refreshTokenMaximumSeconds ?? maximum)
  }
