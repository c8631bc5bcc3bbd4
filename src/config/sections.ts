import { settings as addresses } from '../features/addresses/settings.ts'
import { settings as audit } from '../features/audit/settings.ts'
import { settings as clientRegistrations } from '../features/client-registrations/settings.ts'
import { settings as clients } from '../features/clients/settings.ts'
import { settings as departures } from '../features/departures/settings.ts'
import { settings as emailCodes } from '../features/email-codes/settings.ts'
import { settings as mail } from '../features/mail/settings.ts'
import { settings as outbox } from '../features/outbox/settings.ts'
import { settings as passkeys } from '../features/passkeys/settings.ts'
import { settings as passwords } from '../features/passwords/settings.ts'
import { settings as policy } from '../features/policy/settings.ts'
import { settings as profiles } from '../features/profiles/settings.ts'
import { settings as registrations } from '../features/registrations/settings.ts'
import { settings as setup } from '../features/setup/settings.ts'
import { settings as signingKeys } from '../features/signing-keys/settings.ts'
import { settings as terms } from '../features/terms/settings.ts'
import { settings as throttle } from '../features/throttle/settings.ts'
import { settings as trustedDevices } from '../features/trusted-devices/settings.ts'
import { settings as host, mtlsSettings as mtls, tlsSettings as tls } from '../host/settings.ts'
import type { Settings } from '../kernel/settings.ts'
import { settings as account } from '../pages/settings.ts'
import { settings as provider } from '../provider/settings.ts'
import { settings as server } from './settings.ts'

/** Every setting there is, by the part of the house that declares it. */
export const sections = {
  server,
  host,
  tls,
  mtls,
  provider,
  mail,
  outbox,
  passwords,
  passkeys,
  account,
  profiles,
  policy,
  emailCodes,
  addresses,
  registrations,
  terms,
  setup,
  throttle,
  signingKeys,
  clients,
  clientRegistrations,
  audit,
  departures,
  trustedDevices,
} satisfies Readonly<Record<string, Settings>>

export type Sections = typeof sections
