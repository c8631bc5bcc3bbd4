import { aboutChecks } from './about-checks.ts'
import { backchannelChecks } from './backchannel-checks.ts'
import { certificateChecks } from './certificates-checks.ts'
import type { Check } from './check.ts'
import { encryptionChecks } from './encryption-checks.ts'
import { exchangeChecks } from './exchange-checks.ts'
import { logoutChecks } from './logout-checks.ts'
import { profileChecks } from './profiles-checks.ts'
import { tokenChecks } from './tokens-checks.ts'

export const protocolChecks: readonly Check[] = [
  ...profileChecks,
  ...encryptionChecks,
  ...certificateChecks,
  ...logoutChecks,
  ...backchannelChecks,
  ...exchangeChecks,
  ...tokenChecks,
  ...aboutChecks,
]
