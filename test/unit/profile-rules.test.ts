import type { Client } from 'oidc-provider'
import { describe, expect, it } from 'vitest'
import { allowedProfiles } from '../../src/features/clients/allowed-profiles.ts'
import { profileNames } from '../../src/features/clients/profiles.ts'
import { rulesOf } from '../../src/provider/profiles/rules.ts'

const allowed = {
  ...allowedProfiles({ allowLegacy: true, allowHybrid: true }),
  refused: async () => undefined,
}
const clientOf = (clientId: string, profile?: unknown): Client =>
  ({ clientId, security_profile: profile }) as unknown as Client

describe('the profile of a client', () => {
  it.each(profileNames)('is %s where it is registered for that', (name) => {
    expect(rulesOf(allowed, clientOf('bank', name)).name).toBe(name)
  })

  it.each(['fapi-2-security', 'fapi-2-message-signing', 'fapi-1-advanced'])(
    'is %s of a client that describes itself so',
    (said) => {
      expect(rulesOf(allowed, clientOf('https://app.example/client.json', said)).name).toBe(said)
    },
  )

  it.each(['legacy', 'toString', undefined, 7])(
    'is the default one of a client that describes itself, though it says %s',
    (said) => {
      expect(rulesOf(allowed, clientOf('https://app.example/client.json', said)).name).toBe('oauth-2.1')
    },
  )

  it('is never one that the server does not allow', () => {
    const strict = { ...allowed, ...allowedProfiles({ allowLegacy: false, allowHybrid: false }) }
    expect(() => rulesOf(strict, clientOf('old', 'legacy'))).toThrow('legacy')
    for (const name of ['toString', '__proto__', 'constructor', '']) expect(strict.find(name)).toBeUndefined()
  })
})
