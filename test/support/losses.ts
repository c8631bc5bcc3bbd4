/** Each way in which a person, a client or an API loses its right, as whoever causes it does it. */
import { randomUUID } from 'node:crypto'
import { commandLineActor } from '../../src/kernel/http.ts'
import { administration } from './administration.ts'
import { act, type Everything } from './rights.ts'
import type { RightsWorld } from './rights-clients.ts'
import type { Holding } from './rights-things.ts'

export type Loss = (world: RightsWorld, held: Everything) => Promise<unknown>

const request = { requestId: 'request', address: '192.0.2.1', userAgent: 'A browser' }
const by = { actor: commandLineActor }

/** Does the same to the client of everything in hand. */
async function eachClient(
  { holdings }: Everything,
  work: (holding: Holding) => Promise<unknown>,
): Promise<void> {
  for (const holding of Object.values(holdings)) await work(holding)
}

/** What a client is changed to; `undefined` where it cannot be changed so. */
type Change = (client: {
  readonly kind: string
  readonly authentication: string
  readonly grantTypes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly holding: Holding
}) => Readonly<Record<string, unknown>> | undefined

const changing =
  (change: Change): Loss =>
  ({ latchkey }, held) =>
    eachClient(held, async (holding) => {
      const { resource } = latchkey.app.features.clients
      const item = await resource.find(holding.clientId)
      if (item === undefined) throw new Error(`There is no client ${holding.clientId}.`)
      const changed = change({ ...item, holding })
      if (changed !== undefined) await administration(() => resource).update(item, changed)
    })

export const losses = {
  'the user is disabled': ({ latchkey }, { userId }) => act(latchkey, 'users', [userId, 'disable']),

  'the user is deleted': ({ latchkey: { app } }, { userId }) => app.features.users.users.delete(userId, by),

  'strangers guess at the password until no guess is taken': async ({ latchkey: { app } }, { userId }) => {
    const guess = () =>
      app.features.throttle.throttle.admit({ account: `password ${userId}`, userId, address: '192.0.2.1' })
    let refused = false
    for (let guesses = 0; guesses < 100 && !refused; guesses += 1)
      refused = await guess().then(
        () => false,
        () => true,
      )
    if (!refused) throw new Error('Every guess was taken.')
  },

  'consent is withdrawn': ({ latchkey: { app } }, { userId, holdings }) =>
    Promise.all(
      Object.values(holdings).map(({ clientId, subjectClientId }) =>
        app.features.consents.consents
          .withdraw({ userId, clientId: subjectClientId ?? clientId }, by)
          .catch((error: unknown) => {
            // Nobody has allowed a client anything that acts for itself.
            if ((error as { code?: string }).code !== 'consents.not_found') throw error
          }),
      ),
    ),

  'the person signs out': async ({ latchkey: { issuer } }, { visitor }) => {
    const page = await visitor.get(`${issuer}/account/devices`)
    const { status } = await visitor.submit(page, {}, { action: '/sign-out' })
    if (status !== 303) throw new Error(`Not signed out: ${status}`)
  },

  'the person ends the session from elsewhere': async ({ latchkey: { app } }, { userId }) => {
    const { sessions } = app.features.sessions
    for (const { uid } of await sessions.list(userId)) await sessions.end(`ses_${uid}`, { ...by, userId })
  },

  'an administrator ends all sessions': ({ latchkey: { app } }, { userId }) =>
    app.features.sessions.sessions.endAll(userId, by),

  'the session runs out': ({ latchkey: { app } }, { userId }) =>
    app.storage.db.artefact.updateMany({
      where: { model: 'Session', userId },
      data: { expiresAt: new Date(0) },
    }),

  'the password is reset': async ({ latchkey: { app } }, { userId }) => {
    const { passwords } = app.features.passwords
    const { url } = await passwords.issueLink(userId, 'reset', by)
    const token = new URL(url).searchParams.get('token') ?? ''
    await passwords.chooseByLink({ token, password: 'a different engine 1844', request })
  },

  'the second factor is added': ({ latchkey: { app } }, { userId }) =>
    app.storage.transaction((db) =>
      app.features.notices.notices.credentialsChanged(db, { userId, what: 'totp-added' }),
    ),

  'the second factor is removed': async ({ latchkey: { app } }, { userId }) => {
    await app.storage.db.totpAuthenticator.createMany({
      data: [
        { id: randomUUID(), userId, name: 'Phone', sealedSecret: '', lastStep: 0, createdAt: new Date() },
      ],
    })
    const remove = app.features.totp.commands?.find(({ words }) => words.join(' ') === 'totp remove')
    if (remove === undefined) throw new Error('There is no such command.')
    await remove.run({ user: userId })
  },

  'the client is disabled': ({ latchkey }, held) =>
    eachClient(held, ({ clientId }) => act(latchkey, 'clients', [clientId, 'disable'])),

  'the client is disabled and enabled again': ({ latchkey }, held) =>
    eachClient(held, async ({ clientId }) => {
      await act(latchkey, 'clients', [clientId, 'disable'])
      await act(latchkey, 'clients', [clientId, 'enable'])
    }),

  'the client is deleted': ({ latchkey: { app } }, held) =>
    eachClient(held, async ({ clientId }) => {
      const { resource } = app.features.clients
      const item = await resource.find(clientId)
      if (item !== undefined) await resource.delete(item, commandLineActor)
    }),

  'the grant type is taken from the client': changing(({ kind, grantTypes, holding: { grantType } }) => {
    if (kind !== 'service' && grantType === 'authorization_code')
      return { grantTypes: ['client_credentials'], redirectUris: [] }
    const left = grantTypes.filter((each) => each !== grantType)
    return {
      grantTypes: left.length > 0 ? left : ['urn:openid:params:grant-type:ciba'],
      ...(grantType.endsWith(':token-exchange') && { tokenExchange: null }),
      ...(grantType.endsWith(':jwt-bearer') && { federatedCredentials: null }),
    }
  }),

  'a scope is taken from the client': changing(({ kind }) => ({
    scopes: kind === 'service' ? [] : ['openid'],
  })),

  'the redirect URI is taken from the client': changing(({ redirectUris }) =>
    redirectUris.length > 0 ? { redirectUris: ['https://app.example.test/moved'] } : undefined,
  ),

  'the API is disabled': async ({ latchkey }, { apis }) => {
    const { resources } = latchkey.app.features
    for (const indicator of apis) {
      const { id = '' } = (await resources.resources.findByIndicator(indicator)) ?? {}
      await act(latchkey, 'resources', [id, 'disable'])
    }
  },

  'the trusted issuer is disabled': ({ latchkey, cluster }) =>
    act(latchkey, 'trustedIssuers', [cluster.issuer, 'disable']),

  'the client gets a stricter profile': changing(({ authentication }) =>
    authentication === 'private_key_jwt' ? { profile: 'fapi-2-security' } : undefined,
  ),
} as const satisfies Readonly<Record<string, Loss>>

export type LossName = keyof typeof losses
