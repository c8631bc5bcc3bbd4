import type { Check } from './check.ts'

export const aboutChecks: readonly Check[] = [
  ({ grantTypes, initiateLoginUri }) =>
    initiateLoginUri !== undefined && !grantTypes.includes('authorization_code')
      ? 'Nobody signs in to a client without the grant authorization_code. Leave initiateLoginUri out, or add the grant.'
      : undefined,
]
