/** What each feature offers to whoever administrates, known without opening anything; in the order of the help. */
import { clientsDefinition } from './features/clients/index.ts'
import type { FeatureDefinition } from './features/feature.ts'
import { resourcesDefinition } from './features/resources/index.ts'
import { setupDefinition } from './features/setup/index.ts'
import { signingKeysDefinition } from './features/signing-keys/index.ts'
import { usersDefinition } from './features/users/index.ts'

export const definitions: readonly FeatureDefinition[] = [
  setupDefinition,
  usersDefinition,
  clientsDefinition,
  resourcesDefinition,
  signingKeysDefinition,
]
