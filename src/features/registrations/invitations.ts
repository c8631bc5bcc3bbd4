import { after, type Clock } from '../../kernel/clock.ts'
import { AppError, invalidInput, notFound } from '../../kernel/errors.ts'
import type { Actor } from '../../kernel/http.ts'
import { hashSecret, isId, newId, newSecret } from '../../kernel/ids.ts'
import type { Outcome, Resource } from '../../kernel/resource.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Mail } from '../mail/index.ts'
import type { Users } from '../users/index.ts'
import { registrationsDefinition } from './definition.ts'
import type { RegistrationMode, StoredInvitation } from './registrations.ts'
import type { InvitationStore } from './store.ts'

/** An invitation as administration sees it. */
export interface InvitationItem {
  readonly id: string
  readonly email: string | null
  readonly state: 'open' | 'used' | 'expired'
  readonly createdAt: string
  readonly expiresAt: string
}

export interface InvitationDependencies {
  readonly transaction: Storage['transaction']
  readonly store: InvitationStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Pick<Users, 'parseEmail' | 'findByIdentifier'>
  readonly mail: Mail
  readonly settings: { readonly mode: RegistrationMode; readonly invitationSeconds: number }
  /** The only source of the link's address. */
  readonly issuer: string
}

interface InvitationInput {
  readonly email?: string
  readonly expiresAt?: string
}

/** An address for which there is an account already is refused, since administrators know who there is. */
export function administerInvitations(dependencies: InvitationDependencies): Resource<InvitationItem> {
  const { transaction, store, clock } = dependencies
  const itemOf = asItem(clock)
  const record = recording(dependencies.audit)
  return {
    ...registrationsDefinition.resource,
    actions: [],

    async list(request) {
      const page = await store.list(request)
      return { ...page, items: page.items.map(itemOf) }
    },

    async find(key) {
      const found = isId(key) ? await store.find(key) : undefined
      return found && itemOf(found)
    },

    create: inviting(dependencies),

    update: (item, input, actor) =>
      transaction(async (db) => {
        const { expiresAt } = input as InvitationInput
        if (expiresAt !== undefined && !(await store.setEnd(db, item.id, future(clock, expiresAt))))
          throw used()
        await record(db, { id: item.id, actor, event: 'changed' })
        const stored = await store.find(item.id, db)
        return { item: stored === undefined ? item : itemOf(stored) }
      }),

    delete: (item, actor) =>
      transaction(async (db) => {
        if (!(await store.remove(db, item.id))) throw unknown(item.id)
        await record(db, { id: item.id, actor, event: 'withdrawn' })
      }),
  }
}

/** The invitation, and its mail where it names an address and mail can be sent. */
const inviting =
  (dependencies: InvitationDependencies): Resource<InvitationItem>['create'] =>
  async (input, actor): Promise<Outcome<InvitationItem>> => {
    const { transaction, store, clock, audit, users, mail, settings, issuer } = dependencies
    const { email: given, expiresAt: end } = input as InvitationInput
    if (settings.mode === 'closed') throw noInvitations()
    if (given === undefined && !mail.available) throw addressNeeded()
    const email = given === undefined ? null : users.parseEmail(given).shown
    if (email !== null && (await users.findByIdentifier(email)) !== undefined) throw addressTaken()
    const token = newSecret()
    const createdAt = clock.now()
    const expiresAt = end === undefined ? after(createdAt, settings.invitationSeconds) : future(clock, end)
    const invitation = { id: newId(), email, createdAt, expiresAt }
    const link = `${issuer}/register?invitation=${token}`
    const mailed = email !== null && mail.available
    await transaction(async (db) => {
      await store.insert(db, { ...invitation, tokenHash: hashSecret(token) })
      await recording(audit)(db, { id: invitation.id, actor, event: 'issued' })
      const model = { until: expiresAt }
      if (mailed) await mail.send({ to: email, template: 'invitation', model, link }, db)
    })
    const item = asItem(clock)({ ...invitation, consumedAt: null })
    const until = `once, until ${expiresAt.toISOString()}`
    const notice = mailed
      ? `The link is on its way to ${email}. An account is made with it, ${until}.`
      : `An account is made with this link, ${until}.`
    return { item, reveals: { link }, notice }
  }

const asItem =
  (clock: Clock) =>
  ({ id, email, createdAt, expiresAt, consumedAt }: StoredInvitation): InvitationItem => ({
    id,
    email,
    state: consumedAt !== null ? 'used' : expiresAt > clock.now() ? 'open' : 'expired',
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  })

function future(clock: Clock, text: string): Date {
  const at = new Date(text)
  if (at <= clock.now())
    throw invalidInput('registrations.end_in_the_past', 'Give an end that is in the future.')
  return at
}

interface Recorded {
  readonly id: string
  readonly actor: Actor
  readonly event: 'issued' | 'changed' | 'withdrawn'
}

const recording =
  (audit: Audit) =>
  (db: DatabaseTransaction, { id, actor, event }: Recorded): Promise<void> =>
    audit.recordIn(db, {
      action: `registrations.invitation_${event}`,
      outcome: 'success',
      actor,
      detail: { id },
    })

const unknown = (id: string): AppError =>
  notFound('registrations.unknown_invitation', `There is no invitation ${id} any more.`)

const used = (): AppError =>
  new AppError('registrations.invitation_used', 409, 'This invitation was used already. Make a new one.')

const noInvitations = (): AppError =>
  new AppError(
    'registrations.no_invitations',
    409,
    'Nobody could use an invitation: set LATCHKEY_REGISTRATIONS_MODE to invitation or open first.',
  )

const addressNeeded = (): AppError =>
  invalidInput(
    'registrations.address_needed',
    'No mail can be sent, so the person could not prove an address. Give the one that the invitation is for.',
  )

const addressTaken = (): AppError =>
  new AppError('registrations.address_taken', 409, 'There is an account with this address already.')
