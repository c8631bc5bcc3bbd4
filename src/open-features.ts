/** The features of every start: what they stand on, and each handed what it needs. The whole product on one page. */
import type { Config } from './config/config.ts'
import { asksForCertificates, servesThisMachineAlone } from './config/listen-address.ts'
import { openAddresses } from './features/addresses/index.ts'
import { openApplicationLogouts } from './features/application-logouts/index.ts'
import { openApprovals } from './features/approvals/index.ts'
import { openAttempts } from './features/attempts/index.ts'
import { openAudit } from './features/audit/index.ts'
import { openAuthorizationTypes } from './features/authorization-types/index.ts'
import {
  type ClientRegistrationsFeature,
  openClientRegistrationsFeature,
} from './features/client-registrations/index.ts'
import {
  type ClientsFeature,
  certificatesOfferedCheck,
  lifetimeCheck,
  openClients,
} from './features/clients/index.ts'
import { openConsents } from './features/consents/index.ts'
import { openDepartures } from './features/departures/index.ts'
import { openEmailCodes } from './features/email-codes/index.ts'
import type { Feature } from './features/feature.ts'
import { openMail } from './features/mail/index.ts'
import { openNotices } from './features/notices/index.ts'
import { openOutbox } from './features/outbox/index.ts'
import { openPasskeys } from './features/passkeys/index.ts'
import { openPasswords, type PasswordsFeature } from './features/passwords/index.ts'
import { type Demands, openPolicy } from './features/policy/index.ts'
import { openProfiles } from './features/profiles/index.ts'
import { openRecoveryCodes } from './features/recovery-codes/index.ts'
import { openRegistrations } from './features/registrations/index.ts'
import { openResources, type ResourcesFeature } from './features/resources/index.ts'
import { openSessionsFeature, type SessionsFeature } from './features/sessions/index.ts'
import { openSetup } from './features/setup/index.ts'
import { openSigningKeys } from './features/signing-keys/index.ts'
import { openTerms } from './features/terms/index.ts'
import { addressKey, openThrottle } from './features/throttle/index.ts'
import { openTotp } from './features/totp/index.ts'
import { openTrustedDevices } from './features/trusted-devices/index.ts'
import { openTrustedIssuers } from './features/trusted-issuers/index.ts'
import { openUsers, type UsersFeature } from './features/users/index.ts'
import type { Clock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'
import type { Sealing } from './kernel/sealing.ts'
import { languageNames, mailWords, messageNames } from './page-words.ts'
import type { Artefacts, OutboundFetch } from './provider/index.ts'
import { signInWays, waysBeside } from './sign-in-ways.ts'
import type { DatabaseTransaction, Storage } from './storage/storage.ts'

/** What the features stand on. */
export interface Ground {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly storage: Storage
  readonly sealing: Sealing
  readonly artefacts: Artefacts
  /** The guarded way out. */
  readonly outbound: OutboundFetch
  /** All features, once they are open. */
  readonly all: readonly Feature[]
}

/** In the order in which one needs another. */
export function openFeatures(ground: Ground) {
  const later: Later = {
    clientName: async (id) => (await parties.clients.clients.find(id))?.name,
    demands: (userId) => parties.policy.policy.demands(userId, undefined, []),
    describeBrowser: (userAgent) => access.sessions.describeBrowser(userAgent),
    forgetDevices: (db, userId) => access.trustedDevices.trustedDevices.forgetAll(db, userId),
    endPendingAddress: (db, userId) => people.addresses.addresses.endPending(db, userId),
  }
  const base = openBase(ground, later)
  const people = openPeople(ground, base, later)
  const parties = openParties(ground, base, people)
  const factors = openFactors(ground, { ...base, ...people, later })
  const access = openAccess(ground, { ...base, ...people, ...parties, later })
  return { ...people, ...factors, ...parties, ...access, ...base }
}

/** What the first features ask of those that are opened after them. */
interface Later {
  clientName(id: string): Promise<string | undefined>
  demands(userId: string): Promise<Demands>
  readonly describeBrowser: SessionsFeature['describeBrowser']
  forgetDevices(db: DatabaseTransaction, userId: string): Promise<void>
  endPendingAddress(db: DatabaseTransaction, userId: string): Promise<void>
}

const commonOf = ({ storage, clock, sealing, log, config, artefacts }: Ground) => ({
  storage,
  clock,
  sealing,
  log,
  issuer: config.issuer,
  endEverything: artefacts.endEverythingOfUser,
  isSessionOpen: artefacts.isSessionOpen,
})

/** What every other feature may ask for: the record, the post, what is remembered, how often somebody may try. */
function openBase(ground: Ground, later: Later) {
  const { config, artefacts, all } = ground
  const words = { ...later, isTold: messageNames() }
  const audit = openAudit({ ...commonOf(ground), settings: config.audit }, words)
  const common = { ...commonOf(ground), audit: audit.audit }
  const deliveries = () => all.flatMap((feature) => feature.deliveries ?? [])
  const outbox = openOutbox({ ...common, settings: config.outbox, deliveries })
  const mail = openMail({
    ...common,
    ...outbox,
    settings: config.mail,
    // What it shows opens accounts, so it is for this machine alone.
    development: config.development && servesThisMachineAlone(config),
    brandName: config.server.brandName,
    render: mailWords(config),
  })
  const attempts = openAttempts({ ...common, ttlSeconds: config.provider.interactionTtlSeconds })
  const throttle = openThrottle({ ...common, settings: config.throttle })
  const notices = openNotices({
    ...common,
    ...later,
    mail: mail.mail,
    attempts: attempts.attempts,
    endOthers: artefacts.endOthersOfUser,
  })
  return { audit, outbox, mail, attempts, throttle, notices }
}

type Base = ReturnType<typeof openBase>

/** The base, as features take it. */
const servicesOf = (ground: Ground, base: Base) => ({
  ...commonOf(ground),
  audit: base.audit.audit,
  outbox: base.outbox.outbox,
  mail: base.mail.mail,
  attempts: base.attempts.attempts,
  challenges: base.attempts.challenges,
  throttle: base.throttle.throttle,
  notices: base.notices.notices,
})

/** Who there is, how one comes to be there, and what is known of one. */
function openPeople(ground: Ground, base: Base, later: Later) {
  const { config } = ground
  const users: UsersFeature = openUsers({
    ...servicesOf(ground, base),
    async endEverything(db, userId) {
      await ground.artefacts.endEverythingOfUser(db, userId)
      await base.attempts.attempts.endOfUser(db, userId)
      await later.endPendingAddress(db, userId)
    },
    issuePasswordLink: (userId, purpose, change) => passwords.passwords.issueLink(userId, purpose, change),
    async addressChanged(db, change) {
      // A link that lies in the old mailbox must not open the account any more.
      await passwords.passwords.endLinks(db, change.after.id)
      await addresses.addresses.changed(db, change)
    },
  })
  const common = { ...servicesOf(ground, base), users: users.users }
  const addresses = openAddresses({ ...common, settings: config.addresses })
  const passwords: PasswordsFeature = openPasswords({
    ...common,
    settings: config.passwords,
    productNames: ['Latchkey', config.server.brandName],
    otherWays: waysBeside('password', ground.all, later.demands),
  })
  const terms = openTerms({ ...common, settings: config.terms })
  const profiles = openProfiles({ ...common, settings: config.profiles, languages: languageNames })
  const registrations = openRegistrations({
    ...common,
    passwords: passwords.passwords,
    terms: terms.terms,
    fields: profiles.profiles.newPerson,
    settings: config.registrations,
  })
  const setup = openSetup({ ...common, passwords: passwords.passwords, settings: config.setup })
  return { users, profiles, addresses, passwords, terms, registrations, setup }
}

type People = ReturnType<typeof openPeople>

/** Applications and services, what they may have, and what signing in to them takes. */
function openParties(ground: Ground, base: Base, { users }: People) {
  const { config, artefacts, outbound: fetch, all } = ground
  const common = servicesOf(ground, base)
  const clients: ClientsFeature = openClients({
    ...common,
    endEverythingOfClient: artefacts.endEverythingOfClient,
    fetch,
    describedClient: (id, asking) => clientRegistrations.described.find(id, asking),
    settings: config.clients,
    findApi: (indicator) => resources.standingOf(indicator),
    serverChecks: [lifetimeCheck(config.provider), certificatesOfferedCheck(asksForCertificates(config))],
  })
  const clientRegistrations: ClientRegistrationsFeature = openClientRegistrationsFeature({
    ...common,
    registering: clients.registering,
    fetch,
    keyOf: addressKey,
    settings: config.clientRegistrations,
  })
  const resources: ResourcesFeature = openResources({
    ...common,
    defaultingClients: clients.defaultingTo,
    accessTokenMaximumSeconds: config.provider.accessTokenMaximumSeconds,
  })
  const authorizationTypes = openAuthorizationTypes(common)
  const policy = openPolicy({
    ...common,
    settings: config.policy,
    ...signInWays({ users: users.users, clients: clients.clients }, all),
  })
  const trustedIssuers = openTrustedIssuers(common)
  const signingKeys = openSigningKeys({ ...common, settings: config.signingKeys })
  return { clients, clientRegistrations, resources, authorizationTypes, policy, trustedIssuers, signingKeys }
}

/** The ways to prove who one is, beside the password. */
function openFactors(
  ground: Ground,
  { users, later, ...base }: Base & Pick<People, 'users'> & { readonly later: Later },
) {
  const { config, all } = ground
  const { brandName } = config.server
  const common = { ...servicesOf(ground, base), users: users.users }
  const emailCodes = openEmailCodes({
    ...common,
    settings: config.emailCodes,
    describeBrowser: later.describeBrowser,
    clientName: async (id) => (await later.clientName(id)) ?? brandName,
  })
  const { reauthenticationSeconds: freshSeconds } = config.account
  const recoveryCodes = openRecoveryCodes({ ...common, freshSeconds })
  const passkeys = openPasskeys({
    ...common,
    challengeTtlSeconds: config.provider.interactionTtlSeconds,
    name: brandName,
    settings: config.passkeys,
    leadOn: recoveryCodes.leadOn,
    factors: () => all.flatMap(({ factor }) => factor ?? []),
  })
  const totp = openTotp({ ...common, serviceName: brandName, leadOn: recoveryCodes.leadOn })
  return { totp, recoveryCodes, passkeys, emailCodes }
}

const activeClient =
  ({ clients }: Pick<ReturnType<typeof openParties>['clients'], 'clients'>) =>
  async (id: string) => {
    const client = await clients.find(id)
    return client !== undefined && clients.isActive(client) ? client : undefined
  }

/** What is open for a person, and how it ends: sessions, devices, applications, the account itself. */
function openAccess(
  ground: Ground,
  opened: Base & People & ReturnType<typeof openParties> & { readonly later: Later },
) {
  const { config, artefacts, all } = ground
  const { users, clients, resources, authorizationTypes, throttle, later } = opened
  const common = { ...servicesOf(ground, opened), users: users.users, getUser: users.users.getByKey }
  const consents = openConsents({
    ...common,
    accessOfUser: artefacts.accessOfUser,
    endClientOfUser: artefacts.endClientOfUser,
    client: clients.clients.find,
    api: resources.resources.findByIndicator,
    detailType: authorizationTypes.types.find,
  })
  const approvals = openApprovals({
    ...common,
    fetch: ground.outbound,
    client: activeClient(clients),
    api: resources.resources.findByIndicator,
    detailType: authorizationTypes.types.find,
  })
  const trustedDevices = openTrustedDevices({
    ...common,
    settings: config.trustedDevices,
    renamed: throttle.throttle.deviceRenamed,
    describeBrowser: later.describeBrowser,
  })
  const sessions: SessionsFeature = openSessionsFeature({
    ...common,
    source: artefacts,
    devices: trustedDevices.trustedDevices,
    endPendingAddress: later.endPendingAddress,
    clientName: later.clientName,
  })
  const applicationLogouts = openApplicationLogouts({
    ...common,
    queue: opened.outbox.queue,
    wanting: clients.toldOfLogouts,
    settings: config.outbox,
  })
  const departures = openDepartures({ ...common, settings: config.departures, features: () => all })
  return { consents, approvals, trustedDevices, sessions, applicationLogouts, departures }
}
