import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { systemActor } from '../../kernel/http.ts'
import { hashSecret, isSecret } from '../../kernel/ids.ts'
import { isSameCode, readMailedCode } from '../../kernel/mailed-codes.ts'
import type { View } from '../../kernel/text.ts'
import type { DatabaseTransaction, Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Attempt, Proof } from '../feature.ts'
import type { PasswordHash, Passwords } from '../passwords/index.ts'
import type { Terms } from '../terms/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { User, Users } from '../users/index.ts'
import type { Awaiting, Pending } from './awaiting.ts'
import {
  alreadyThere,
  closed,
  invitationEnded,
  invitationNeeded,
  malformedForm,
  nothingAwaited,
  otherAddress,
  type Registration,
  type RegistrationInput,
  type RegistrationMode,
  wrongCode,
} from './registrations.ts'
import type { InvitationStore } from './store.ts'

/** The fields of a person that the form of a new account asks for beside the address, and what becomes of them. */
export interface NewPersonFields {
  /** Of the form. */
  readonly names: readonly string[]
  show(): Promise<View>
  /** What is to be kept of them, as JSON. Throws an `AppError` that names the field. */
  parse(form: Readonly<Record<string, string>>): unknown
  /** In the transaction that makes the user. */
  save(db: DatabaseTransaction, user: User, kept: unknown): Promise<void>
}

export interface RegisteringDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly store: InvitationStore
  readonly clock: Clock
  readonly audit: Audit
  readonly users: Users
  readonly passwords: Pick<Passwords, 'prepare' | 'set' | 'minimumLength'>
  readonly terms: Terms
  readonly throttle: Throttle
  readonly fields: NewPersonFields
  readonly mail: { readonly available: boolean }
  readonly settings: { readonly mode: RegistrationMode }
}

const baseFields = ['email', 'password', 'terms'] as const
const baseSchema = z.object({
  email: z.string().max(320).default(''),
  password: z.string(),
  terms: z.string().max(200).optional(),
})

export function openRegistering(dependencies: RegisteringDependencies, awaiting: Awaiting): Registration {
  const { settings, store, clock, terms, passwords, fields } = dependencies
  const allowed = admission(dependencies)
  const make = making(dependencies)
  return {
    mode: settings.mode,
    isInvited: async (invitation) => (await usable(store, clock, invitation)) !== undefined,

    async form(invitation) {
      const invited = await allowed(invitation)
      return {
        ...(invited?.email && { email: invited.email }),
        minimumLength: passwords.minimumLength,
        ...(terms.inForce && { terms: terms.inForce }),
        fields: await fields.show(),
      }
    },

    async begin(attempt, input) {
      const pending = await reading(dependencies, allowed)(attempt, input)
      if (dependencies.mail.available) return void (await awaiting.send(attempt, pending))
      return await make(attempt, pending)
    },

    awaited: awaiting.find,
    again: awaiting.again,
    finish: finishing(dependencies, { awaiting, make }),
  }
}

const usable = async (store: InvitationStore, clock: Clock, token: string) =>
  isSecret(token) ? await store.findUsable(hashSecret(token), clock.now()) : undefined

type Allowed = (invitation: string | undefined) => Promise<{ readonly email: string | null } | undefined>

/** Whether anybody may make an account here; the invitation, where there is one. */
const admission =
  ({ settings, store, clock, mail }: RegisteringDependencies): Allowed =>
  async (invitation) => {
    if (settings.mode === 'closed') throw closed()
    if (invitation === undefined) {
      if (settings.mode === 'invitation') throw invitationNeeded()
      return undefined
    }
    const found = await usable(store, clock, invitation)
    // Without mail nobody can prove an address, so the invitation has to name it.
    if (found === undefined || (found.email === null && !mail.available)) {
      if (settings.mode === 'invitation') throw invitationEnded()
      return undefined
    }
    return found
  }

/**
 * Checks what was given and hashes the password. All of it is done for an address that is known already as for a new
 * one, in the same order; which of the two it is shows in what is mailed, and nowhere else.
 */
const reading =
  ({ users, passwords, terms, throttle, fields }: RegisteringDependencies, allowed: Allowed) =>
  async ({ request }: Attempt, { form, invitation }: RegistrationInput): Promise<Pending> => {
    const invited = await allowed(invitation)
    const parsed = baseSchema.safeParse(form)
    const known = new Set<string>([...baseFields, ...fields.names])
    if (!parsed.success || Object.keys(form).some((name) => !known.has(name)))
      throw malformedForm(parsed.error)
    const { email, password, terms: accepted } = parsed.data
    const address = users.parseEmail(invited?.email && email === '' ? invited.email : email)
    if (invited?.email && users.parseEmail(invited.email).key !== address.key) throw otherAddress()
    const kept = fields.parse(Object.fromEntries(fields.names.map((name) => [name, form[name] ?? ''])))
    terms.require(accepted)
    await throttle.admit({ asking: 'registration', account: address.key, address: request.address })
    const hash = await passwords.prepare(password, { email: address.shown, name: form.name ?? null })
    return {
      email: address.shown,
      key: address.key,
      hash,
      kept,
      ...(terms.inForce && { terms: terms.inForce.version }),
      ...(invited && invitation !== undefined && { invitationHash: hashSecret(invitation) }),
    }
  }

type Make = (attempt: Attempt, pending: Pending) => Promise<Proof>

/** The account with everything that belongs to it, or nothing of it. */
const making =
  (dependencies: RegisteringDependencies): Make =>
  async (attempt, pending) => {
    const { storage, store, clock, audit, users, passwords, terms, fields, mail, settings } = dependencies
    const { request, clientId } = attempt
    const { email, hash, kept, terms: version, invitationHash } = pending
    if (settings.mode === 'closed') throw closed()
    if (settings.mode === 'invitation' && invitationHash === undefined) throw invitationNeeded()
    const at = clock.now()
    const make = async (db: DatabaseTransaction): Promise<User> => {
      const details = { email, emailVerified: mail.available }
      const user = await users.create(details, { actor: systemActor, request, db })
      if (invitationHash !== undefined && !(await store.consume(db, invitationHash, at)))
        throw invitationEnded()
      await passwords.set(db, user.id, hash as PasswordHash)
      await fields.save(db, user, kept)
      if (version !== undefined) await terms.accept(db, { userId: user.id, version, request })
      const event = { action: 'registrations.completed', outcome: 'success', userId: user.id } as const
      const actor = { kind: 'user', userId: user.id } as const
      const detail = { invited: invitationHash !== undefined }
      await audit.recordIn(db, { ...event, actor, clientId, request, detail })
      return user
    }
    const user = await storage.transaction(make).catch(translated)
    // He is new: nothing of his was ever ended.
    return { factor: 'password', userId: user.id, amr: ['pwd'], at, epoch: '' }
  }

/** Only who has shown that the address is his gets here, so he may know. */
function translated(error: unknown): never {
  throw error instanceof AppError && error.code === 'users.email_taken' ? alreadyThere() : error
}

interface Parts {
  readonly awaiting: Awaiting
  readonly make: Make
}

const finishing =
  ({ audit, throttle }: RegisteringDependencies, { awaiting, make }: Parts): Registration['finish'] =>
  async (attempt, typed) => {
    const { id, request, clientId, device } = attempt
    const seen = await awaiting.peek(id)
    if (seen === undefined) throw nothingAwaited()
    const code = readMailedCode(typed)
    if (code === undefined) throw wrongCode()
    const subject = { account: `registration ${seen.key}`, address: request.address }
    const admission = await throttle.admit({ ...subject, ...(device !== undefined && { device }) })
    const counted = await awaiting.answer(id)
    if (counted === undefined) throw nothingAwaited()
    const taken = isSameCode(code, counted.code) ? await awaiting.take(id) : undefined
    // Another code may have taken the place of the one that was compared.
    if (taken === undefined || !isSameCode(code, taken.code)) {
      await audit.record({ action: 'registrations.refused', outcome: 'failure', clientId, request })
      throw wrongCode()
    }
    const proof = await make(attempt, taken)
    await admission.succeeded(proof.userId)
    return proof
  }
