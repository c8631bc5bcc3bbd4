import { generateSync } from 'otplib'
import { commandLineActor } from '../../src/kernel/http.ts'
import { callback, send } from './application.ts'
import { ciba } from './asking.ts'
import { type FixedClock, movableClock } from './clock.ts'
import { type Asked, registerDevice } from './devices.ts'
import { type LatchkeyOptions, type RunningLatchkey, startLatchkey } from './latchkey.ts'
import { type ListeningApplication, startApplication } from './listening-application.ts'

/** A running server with everything switched on, and applications of somebody else's. */
export interface Grounds extends AsyncDisposable {
  readonly latchkey: RunningLatchkey
  readonly notes: ListeningApplication
  /** Begins to connect a television. */
  connect(): Promise<Asked>
  /** Has a bank ask a person who is elsewhere. */
  ask(email: string): Promise<void>
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
  const television = await registerDevice(latchkey, {
    name: 'Acme Television',
    scopes: ['openid', 'profile', 'offline_access'],
  })
  return {
    latchkey,
    notes,
    connect: () => television.begin({ scope: 'openid profile offline_access' }, { headers: smartTv }),
    ask: await openBank(latchkey),
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

const smartTv = {
  'user-agent': 'Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) SamsungBrowser/4.0 TV Safari/538.1',
}

async function openBank(latchkey: RunningLatchkey): Promise<Grounds['ask']> {
  const { id, secret } = await latchkey.createClient({
    kind: 'web',
    name: 'Acme Bank',
    redirectUris: [callback],
    grantTypes: ['authorization_code', ciba],
  })
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  return async (email) => {
    const form = { scope: 'openid profile', login_hint: email, binding_message: 'W4SCT' }
    const { status, text } = await send(latchkey, '/backchannel', { headers, form })
    if (status !== 200) throw new Error(`Nobody was asked: ${status} ${text}`)
  }
}
