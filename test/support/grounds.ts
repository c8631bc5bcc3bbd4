import { generateSync } from 'otplib'
import { commandLineActor } from '../../src/kernel/http.ts'
import { type FixedClock, movableClock } from './clock.ts'
import { type LatchkeyOptions, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { type ListeningApplication, startApplication } from './listening-application.ts'

/** A running server with everything switched on, and an application of somebody else's. */
export interface Grounds extends AsyncDisposable {
  readonly latchkey: RunningLatchkey
  readonly notes: ListeningApplication
  /** What an authenticator app with this key shows next. */
  codeOf(key: string): string
}

/** Of everybody there. */
export const password = 'analytical engine 1843'

export interface GroundsOptions extends LatchkeyOptions {
  readonly clock?: FixedClock
}

export async function openGrounds({
  clock = movableClock(),
  ...options
}: GroundsOptions = {}): Promise<Grounds> {
  const latchkey = await startLatchkey({
    clock,
    ...options,
    environment: {
      LATCHKEY_REGISTRATIONS_MODE: 'open',
      LATCHKEY_EMAIL_CODES_USE: 'either',
      LATCHKEY_POLICY_ADMINISTRATORS: 'multi-factor',
      LATCHKEY_TERMS_URL: 'https://latchkey.example/terms',
      LATCHKEY_TERMS_VERSION: '2026-03',
      LATCHKEY_TERMS_PRIVACY_URL: 'https://latchkey.example/privacy',
      ...options.environment,
    },
  })
  await latchkey.app.features.setup.setup.createFirstAdministrator(
    { email: 'root@example.test', password: 'the keys of the house 1' },
    commandLineActor,
  )
  await latchkey.createUser({ email: 'grace@example.test', name: 'Grace Hopper', password })
  await latchkey.createApi({
    indicator: 'https://api.example.test/',
    name: 'Acme Documents',
    scopes: [
      { name: 'documents:read', description: 'Read your documents' },
      { name: 'documents:write', description: 'Create, change and delete your documents' },
    ],
  })
  const notes = await startApplication(latchkey, {
    name: 'Acme Notes',
    policyUri: 'https://acme.example/privacy',
    tosUri: 'https://acme.example/terms',
    scopes: ['openid', 'profile', 'email', 'offline_access', 'documents:read', 'documents:write'],
  })
  return {
    latchkey,
    notes,
    codeOf(key) {
      // A code works once, so the next one is of a later step (RFC 6238 §5.2).
      clock.advance(60)
      return generateSync({
        secret: key.replaceAll(/\s/g, ''),
        epoch: Math.floor(clock.now().getTime() / 1000),
      })
    },
    async [Symbol.asyncDispose]() {
      await notes[Symbol.asyncDispose]()
      await latchkey.close()
    },
  }
}
