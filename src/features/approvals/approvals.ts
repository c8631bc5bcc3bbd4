import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type DetailTypeView, type DetailView, detailView } from '../../kernel/detail-words.ts'
import type { Level } from '../../kernel/levels.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Audit } from '../audit/index.ts'
import type { Mail, MailFact } from '../mail/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Users } from '../users/index.ts'
import { type Notification, notificationTopic } from './notifications.ts'

/** A request that waits for the answer of a person. */
export interface Waiting {
  readonly id: string
  readonly userId: string
  readonly clientId: string
  readonly bindingMessage: string | undefined
  readonly scopes: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
  readonly authorizationDetails: readonly AuthorizationDetail[]
  readonly startedAt: Date
  readonly expiresAt: Date
}

/** How the requests of a person are found and answered. */
export interface ApprovalDoors {
  waiting(userId: string): Promise<readonly Waiting[]>
  /** Whether its application can still fetch what came of a request (`auth_req_id`). */
  isUnclaimed(authReqId: string): Promise<boolean>
  /** What a session lacks to approve the request. */
  missing(request: Waiting, sessionUid: string): Promise<Level | undefined>
  /** Throws `approvals.gone` and `approvals.needs_more`. */
  answer(answer: {
    readonly id: string
    readonly userId: string
    readonly sessionUid: string
    readonly approved: boolean
  }): Promise<Waiting>
  /** Where he proves as much and comes back. */
  provePath(level: Level, returnTo: string): string
}

export interface ClientFacts {
  readonly name: string
  readonly clientUri?: string | undefined
  readonly logoUri?: string | undefined
}

export interface ApprovalDependencies {
  readonly storage: Pick<Storage, 'transaction'>
  readonly clock: Clock
  readonly issuer: string
  readonly users: Pick<Users, 'findByKey' | 'find'>
  readonly mail: Mail
  readonly outbox: Outbox
  readonly audit: Audit
  /** The guarded way out. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly client: (id: string) => Promise<ClientFacts | undefined>
  readonly api: (indicator: string) => Promise<
    | {
        readonly name: string
        readonly scopes: readonly { readonly name: string; readonly description: string }[]
      }
    | undefined
  >
  /** `undefined` for a type of authorization details that is none any more. */
  readonly detailType: (type: string) => Promise<DetailTypeView | undefined>
}

/** What the protocol says to this feature. */
export interface Approvals {
  /** By identifier, e-mail address or user name. */
  findByHint(hint: string): Promise<{ readonly id: string } | undefined>
  /** Tells a person by mail that an application waits; without an address of his it waits on his account's page alone. */
  asked(request: Waiting): Promise<void>
  tell(notification: Notification): Promise<void>
}

/** Below the account's page of applications. */
export const answerPath = (id: string): string => `/account/applications/approvals/answer?id=${id}`

export function openAsking(dependencies: ApprovalDependencies): Approvals {
  const { storage, clock, issuer, users, mail, outbox, audit, client } = dependencies
  const minutesUntil = (at: Date): number =>
    Math.max(1, Math.round((at.getTime() - clock.now().getTime()) / 60_000))

  return {
    findByHint: users.findByKey,

    async asked({ id, userId, clientId, bindingMessage, authorizationDetails, expiresAt }) {
      await audit.record({ action: 'approvals.asked', outcome: 'success', userId, clientId })
      const person = await users.find(userId)
      if (person === undefined || person.email === null || !mail.available) return
      const application = (await client(clientId))?.name ?? clientId
      await mail.send({
        to: person.email,
        userId,
        template: 'approval',
        model: { application, minutes: minutesUntil(expiresAt) },
        facts: [
          ...(bindingMessage === undefined ? [] : [{ label: 'approvals.message', value: bindingMessage }]),
          ...(await inWords(authorizationDetails, dependencies)).flatMap(factsOf),
        ],
        link: `${issuer}${answerPath(id)}`,
        locale: person.locale ?? undefined,
        isVouched: true,
      })
    },

    tell: (notification) =>
      storage.transaction(async (db) => {
        await outbox.put(db, notificationTopic, notification)
      }),
  }
}

/** Details as the types that are registered say them. */
export const inWords = (
  details: readonly AuthorizationDetail[],
  { detailType }: Pick<ApprovalDependencies, 'detailType'>,
): Promise<readonly DetailView[]> =>
  Promise.all(details.map(async (detail) => detailView(detail, await detailType(detail.type))))

const factsOf = ({ title, rows }: DetailView): readonly MailFact[] => [
  { label: 'approvals.about', value: title },
  ...rows.map(({ label, value }) => ({ name: label, value })),
]
