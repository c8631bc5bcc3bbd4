import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Users } from '../users/index.ts'
import { type LinkPurpose, linkInvalid, type Passwords } from './passwords.ts'
import type { PasswordStore } from './store.ts'

export interface LinkDependencies {
  readonly transaction: Storage['transaction']
  readonly store: PasswordStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly settings: { readonly invitationSeconds: number; readonly resetSeconds: number }
  /** The only source of the link's address. */
  readonly issuer: string
  readonly endEverything: (db: DatabaseTransaction, userId: string) => Promise<void>
}

type Links = Pick<Passwords, 'issueLink' | 'readLink' | 'chooseByLink'>
type Setting = Pick<Passwords, 'prepare' | 'set'>

const tokenSyntax = /^[\w-]{43}$/

export const openLinks = (dependencies: LinkDependencies, setting: Setting): Links => {
  const readLink = reading(dependencies)
  return {
    issueLink: issuing(dependencies),
    readLink,
    chooseByLink: choosing(dependencies, { ...setting, readLink }),
  }
}

const reading =
  ({ store, clock, users }: LinkDependencies): Links['readLink'] =>
  async (token) => {
    const userId = tokenSyntax.test(token) ? await store.findLink(hashSecret(token), clock.now()) : undefined
    return userId === undefined ? undefined : await users.find(userId)
  }

const issuing = ({
  transaction,
  store,
  clock,
  audit,
  settings,
  issuer,
}: LinkDependencies): Links['issueLink'] => {
  const lifetimes: Readonly<Record<LinkPurpose, number>> = {
    invitation: settings.invitationSeconds,
    reset: settings.resetSeconds,
  }

  return async (userId, purpose, { actor, request, db }) => {
    const token = newSecret()
    const createdAt = clock.now()
    const expiresAt = after(createdAt, lifetimes[purpose])
    const insert = async (within: DatabaseTransaction): Promise<void> => {
      await store.endLinks(within, userId, createdAt)
      await store.insertLink(within, { tokenHash: hashSecret(token), userId, createdAt, expiresAt })
      const event = { action: 'passwords.link_issued', outcome: 'success', actor, userId, request } as const
      await audit.recordIn(within, { ...event, detail: { purpose } })
    }
    await (db === undefined ? transaction(insert) : insert(db))
    return { url: `${issuer.replace(/\/$/, '')}/set-password?token=${token}`, expiresAt }
  }
}

const choosing = (
  { transaction, store, clock, audit, endEverything }: LinkDependencies,
  { prepare, set, readLink }: Setting & Pick<Links, 'readLink'>,
): Links['chooseByLink'] => {
  return async ({ token, password, request }) => {
    const user = await readLink(token)
    if (user === undefined) throw linkInvalid()
    const hash = await prepare(password, user)
    await transaction(async (db) => {
      const at = clock.now()
      if (!(await store.consumeLink(db, { tokenHash: hashSecret(token), userId: user.id, at })))
        throw linkInvalid()
      await store.endLinks(db, user.id, at)
      await set(db, user.id, hash)
      await endEverything(db, user.id)
      const actor = { kind: 'user', userId: user.id } as const
      await audit.recordIn(db, {
        action: 'passwords.chosen',
        outcome: 'success',
        actor,
        userId: user.id,
        request,
      })
    })
    return user
  }
}
