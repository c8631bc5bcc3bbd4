/**
 * Owns how the first administrator comes to be: a one-time link, or a command on the server.
 * Does not own users or passwords, which it creates through their features, nor the page behind the link.
 */
import { after, type Clock } from '../../kernel/clock.ts'
import { type Actor, type RequestFacts, systemActor } from '../../kernel/http.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import type { SettingValues } from '../../kernel/settings.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Feature } from '../feature.ts'
import type { PasswordHash, Passwords } from '../passwords/index.ts'
import type { User, Users } from '../users/index.ts'
import { setupCommands } from './commands.ts'
import type { settings } from './settings.ts'
import { type FirstAdministrator, type LinkState, linkError, type Setup, setupDone } from './setup.ts'
import { openSetupStore, type SetupStore } from './store.ts'

export { setupDefinition } from './commands.ts'
export type { FirstAdministrator, LinkState, Setup, SetupForm, SetupLinkIssued } from './setup.ts'

export interface SetupDependencies {
  readonly storage: Storage
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly passwords: Passwords
  readonly settings: SettingValues<typeof settings>
  /** The configured issuer, the only source of the link's address. */
  readonly issuer: string
}

export function openSetup(dependencies: SetupDependencies): Feature & { readonly setup: Setup } {
  const store = openSetupStore(dependencies.storage)
  const isNeeded = asking(dependencies.users)
  const setup: Setup = {
    isNeeded,
    ...linking(dependencies, store, isNeeded),
    ...creating(dependencies, store),
  }
  return { name: 'setup', setup, commands: setupCommands(setup) }
}

function asking(users: Users): Setup['isNeeded'] {
  let done = false
  return async () => {
    done ||= (await users.countAdministrators()) > 0
    return !done
  }
}

function linking(
  { storage, clock, audit, settings, issuer }: SetupDependencies,
  store: SetupStore,
  isNeeded: Setup['isNeeded'],
): Pick<Setup, 'issueLink' | 'linkState'> {
  return {
    async issueLink() {
      if (!(await isNeeded())) throw setupDone()
      const token = newSecret()
      const createdAt = clock.now()
      const expiresAt = after(createdAt, settings.linkSeconds)
      await storage.transaction(async (db) => {
        await store.replace(db, { tokenHash: hashSecret(token), createdAt, expiresAt })
        await audit.recordIn(db, { action: 'setup.link_issued', outcome: 'success', actor: systemActor })
      })
      return { url: `${issuer}/setup?token=${token}`, expiresAt }
    },

    linkState: (token) => linkState(store, token, clock.now()),
  }
}

async function linkState(store: SetupStore, token: string | undefined, at: Date): Promise<LinkState> {
  if (token === undefined || token === '') return 'missing'
  const link = await store.find(hashSecret(token))
  if (link === undefined || link.consumedAt !== null) return 'used'
  return link.expiresAt > at ? 'valid' : 'expired'
}

interface Making {
  readonly administrator: FirstAdministrator
  readonly hash: PasswordHash
  readonly actor: Actor
  readonly request?: RequestFacts
}

function creating(
  { storage, clock, audit, users, passwords }: SetupDependencies,
  store: SetupStore,
): Pick<Setup, 'complete' | 'createFirstAdministrator'> {
  /** Users are created one after the other, so whoever is not the only administrator afterwards came too late. */
  const make = async (
    db: DatabaseTransaction,
    { administrator, hash, actor, request }: Making,
  ): Promise<User> => {
    const { email, username, name } = administrator
    const user = await users.create({ email, username, name, administrator: true }, { actor, request, db })
    if ((await users.countAdministrators(db)) > 1) throw setupDone()
    await passwords.set(db, user.id, hash)
    await audit.recordIn(db, {
      action: 'setup.completed',
      outcome: 'success',
      actor,
      userId: user.id,
      request,
    })
    return user
  }

  return {
    async complete({ token, ...administrator }, request) {
      const state = await linkState(store, token, clock.now())
      if (state !== 'valid') throw linkError(state)
      const hash = await passwords.prepare(administrator.password, administrator)
      return await storage.transaction(async (db) => {
        if (!(await store.consume(db, hashSecret(token), clock.now()))) throw linkError('used')
        return await make(db, { administrator, hash, actor: systemActor, request })
      })
    },

    async createFirstAdministrator(administrator, actor) {
      if ((await users.countAdministrators()) > 0) throw setupDone()
      const hash = await passwords.prepare(administrator.password, administrator)
      return await storage.transaction((db) => make(db, { administrator, hash, actor }))
    },
  }
}
