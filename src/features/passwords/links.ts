import { after, type Clock } from '../../kernel/clock.ts'
import { hashSecret, isSecret, newSecret } from '../../kernel/ids.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Mail } from '../mail/index.ts'
import type { Notices } from '../notices/index.ts'
import type { User, Users } from '../users/index.ts'
import { type LinkPurpose, linkInvalid, noAddress, noMail, type Passwords } from './passwords.ts'
import type { PasswordStore, StoredLink } from './store.ts'

export interface LinkDependencies {
  readonly transaction: Storage['transaction']
  readonly store: PasswordStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly settings: { readonly invitationSeconds: number; readonly resetSeconds: number }
  /** The only source of the link's address. */
  readonly issuer: string
  readonly notices: Pick<Notices, 'credentialsChanged'>
  readonly mail: Mail
}

type Links = Pick<Passwords, 'issueLink' | 'readLink' | 'chooseByLink'>
type Setting = Pick<Passwords, 'prepare' | 'set'>

export const openLinks = (dependencies: LinkDependencies, setting: Setting): Links => {
  return {
    issueLink: issuing(dependencies),
    readLink: reading(dependencies),
    chooseByLink: choosing(dependencies, setting),
  }
}

const foundLink = async (
  { store, clock }: Pick<LinkDependencies, 'store' | 'clock'>,
  token: string,
): Promise<StoredLink | undefined> =>
  isSecret(token) ? await store.findLink(hashSecret(token), clock.now()) : undefined

const reading =
  ({ store, clock, users }: LinkDependencies): Links['readLink'] =>
  async (token) => {
    const link = await foundLink({ store, clock }, token)
    return link === undefined ? undefined : await users.find(link.userId)
  }

const issuing = (dependencies: LinkDependencies): Links['issueLink'] => {
  const { transaction, store, clock, audit, settings, issuer } = dependencies
  const send = sending(dependencies)
  const lifetimes: Readonly<Record<LinkPurpose, number>> = {
    invitation: settings.invitationSeconds,
    reset: settings.resetSeconds,
  }

  return async (userId, purpose, { actor, request, db, mail = false, locale }) => {
    const to = mail ? await receiver(dependencies, userId) : undefined
    const token = newSecret()
    const url = `${issuer}/set-password?token=${token}`
    const createdAt = clock.now()
    const expiresAt = after(createdAt, lifetimes[purpose])
    const insert = async (within: DatabaseTransaction): Promise<void> => {
      await store.endLinks(within, userId, createdAt)
      await store.insertLink(within, {
        tokenHash: hashSecret(token),
        userId,
        purpose,
        email: to?.email ?? null,
        createdAt,
        expiresAt,
      })
      const event = { action: 'passwords.link_issued', outcome: 'success', actor, userId, request } as const
      await audit.recordIn(within, { ...event, detail: { purpose } })
      if (to !== undefined) await send(within, { to, url, seconds: lifetimes[purpose], locale })
    }
    await (db === undefined ? transaction(insert) : insert(db))
    return { url, expiresAt }
  }
}

type Receiver = User & { readonly email: string }

async function receiver({ users, mail }: LinkDependencies, userId: string): Promise<Receiver> {
  const user = await users.get(userId)
  if (!mail.available) throw noMail()
  if (user.email === null) throw noAddress()
  return { ...user, email: user.email }
}

interface Letter {
  readonly to: Receiver
  readonly url: string
  readonly seconds: number
  readonly locale: string | undefined
}

const sending =
  ({ mail }: LinkDependencies) =>
  (db: DatabaseTransaction, { to, url, seconds, locale }: Letter): Promise<void> =>
    mail.send(
      {
        to: to.email,
        userId: to.id,
        template: 'password-reset',
        model: { minutes: Math.round(seconds / 60) },
        link: url,
        locale: to.locale ?? locale,
      },
      db,
    )

const choosing = (
  { transaction, store, clock, audit, users, notices }: LinkDependencies,
  { prepare, set }: Setting,
): Links['chooseByLink'] => {
  return async ({ token, password, request }) => {
    const link = await foundLink({ store, clock }, token)
    const user = link === undefined ? undefined : await users.find(link.userId)
    if (link === undefined || user === undefined) throw linkInvalid()
    const hash = await prepare(password, user)
    await transaction(async (db) => {
      const at = clock.now()
      if (!(await store.consumeLink(db, { ...link, tokenHash: hashSecret(token), at }))) throw linkInvalid()
      await store.endLinks(db, user.id, at)
      await set(db, user.id, hash)
      const what = link.purpose === 'reset' ? 'password-reset' : 'password-set'
      await notices.credentialsChanged(db, { userId: user.id, what, request, keep: {} })
      await audit.recordIn(db, {
        action: 'passwords.chosen',
        outcome: 'success',
        actor: { kind: 'user', userId: user.id },
        userId: user.id,
        request,
        detail: { purpose: link.purpose },
      })
    })
    return user
  }
}
