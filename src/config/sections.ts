import { settings as audit } from '../features/audit/settings.ts'
import { settings as passwords } from '../features/passwords/settings.ts'
import { settings as setup } from '../features/setup/settings.ts'
import { settings as signingKeys } from '../features/signing-keys/settings.ts'
import { settings as throttle } from '../features/throttle/settings.ts'
import { settings as host } from '../host/settings.ts'
import type { Settings } from '../kernel/settings.ts'
import { settings as provider } from '../provider/settings.ts'
import { settings as server } from './settings.ts'

/** Every setting there is, by the part of the house that declares it. */
export const sections = {
  server,
  host,
  provider,
  passwords,
  setup,
  throttle,
  signingKeys,
  audit,
} satisfies Readonly<Record<string, Settings>>

export type Sections = typeof sections
