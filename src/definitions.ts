/** What each feature offers to whoever administrates, known without opening anything; in the order of the help. */
import { applicationLogoutsDefinition } from './features/application-logouts/index.ts'
import { authorizationTypesDefinition } from './features/authorization-types/index.ts'
import { clientRegistrationsDefinition } from './features/client-registrations/index.ts'
import { clientsDefinition } from './features/clients/index.ts'
import { consentsDefinition } from './features/consents/index.ts'
import type { FeatureDefinition } from './features/feature.ts'
import { mailDefinition } from './features/mail/index.ts'
import { passkeysDefinition } from './features/passkeys/index.ts'
import { policyDefinition } from './features/policy/index.ts'
import { profilesDefinition } from './features/profiles/index.ts'
import { recoveryCodesDefinition } from './features/recovery-codes/index.ts'
import { registrationsDefinition } from './features/registrations/index.ts'
import { resourcesDefinition } from './features/resources/index.ts'
import { sessionsDefinition } from './features/sessions/index.ts'
import { setupDefinition } from './features/setup/index.ts'
import { signingKeysDefinition } from './features/signing-keys/index.ts'
import { totpDefinition } from './features/totp/index.ts'
import { trustedIssuersDefinition } from './features/trusted-issuers/index.ts'
import { usersDefinition } from './features/users/index.ts'

export const definitions: readonly FeatureDefinition[] = [
  setupDefinition,
  usersDefinition,
  profilesDefinition,
  registrationsDefinition,
  totpDefinition,
  passkeysDefinition,
  recoveryCodesDefinition,
  sessionsDefinition,
  applicationLogoutsDefinition,
  clientsDefinition,
  clientRegistrationsDefinition,
  consentsDefinition,
  resourcesDefinition,
  trustedIssuersDefinition,
  authorizationTypesDefinition,
  policyDefinition,
  mailDefinition,
  signingKeysDefinition,
]
