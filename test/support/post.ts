/**
 * Outbox, mail and notices on real storage, put together as the server does, with a clock that stands still.
 *
 *     await using post = await openPost()
 *     await post.mail.send({ to: 'anna@example.test', template: 'test' })
 *     await post.deliver()
 */
import { openAttempts } from '../../src/features/attempts/index.ts'
import { openAudit } from '../../src/features/audit/index.ts'
import type { Delivery } from '../../src/features/feature.ts'
import { openMail } from '../../src/features/mail/index.ts'
import { settings as mailSettings } from '../../src/features/mail/settings.ts'
import { openNotices } from '../../src/features/notices/index.ts'
import { openOutbox } from '../../src/features/outbox/index.ts'
import { settings as outboxSettings } from '../../src/features/outbox/settings.ts'
import { describeBrowser } from '../../src/features/sessions/browser.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import type { Settings, SettingValues } from '../../src/kernel/settings.ts'
import { openMailRenderer } from '../../src/pages/mail-renderer.ts'
import { openArtefacts } from '../../src/provider/index.ts'
import { settings as providerSettings } from '../../src/provider/settings.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { fixedClock } from './clock.ts'
import { keepingLog } from './parties.ts'
import { openTestStorage } from './storage.ts'

export const issuer = 'https://id.example.test'

const defaultsOf = <S extends Settings>(settings: S): SettingValues<S> =>
  Object.fromEntries(
    Object.entries(settings).map(([key, { fallback }]) => [key, fallback]),
  ) as SettingValues<S>

export interface PostOptions {
  readonly mail?: Partial<SettingValues<typeof mailSettings>>
  readonly outbox?: Partial<SettingValues<typeof outboxSettings>>
  /** Deliveries besides the mail's. */
  readonly deliveries?: readonly Delivery[]
  readonly development?: boolean
  readonly brandName?: string
}

/** The features of one process. */
export function postOn(storage: Storage, clock: Clock = fixedClock(), options: PostOptions = {}) {
  const { development = true, brandName = 'Latchkey' } = options
  const log = keepingLog()
  const sealing = openSealing(Buffer.alloc(32, 7))
  const { audit } = openAudit({ storage, clock, log, settings: { retentionSeconds: 86_400 } })
  const common = { storage, clock, log, sealing, audit, issuer }
  const deliveries: Delivery[] = [...(options.deliveries ?? [])]
  const outbox = openOutbox({
    ...common,
    settings: { ...defaultsOf(outboxSettings), ...options.outbox },
    deliveries: () => deliveries,
  })
  const render = openMailRenderer({ brand: { name: brandName }, issuer })
  const mail = openMail({
    ...common,
    outbox: outbox.outbox,
    queue: outbox.queue,
    settings: { ...defaultsOf(mailSettings), ...options.mail },
    development,
    brandName,
    render: async (content) => render(content),
  })
  deliveries.push(...(mail.deliveries ?? []))
  const artefacts = openArtefacts({
    ...common,
    settings: defaultsOf(providerSettings),
    sessionsEnded: async () => {},
  })
  const attempts = openAttempts({
    ...common,
    ttlSeconds: 1_800,
    isSessionOpen: artefacts.isSessionOpen,
  })
  const forgotten: string[] = []
  const notices = openNotices({
    ...common,
    mail: mail.mail,
    attempts: attempts.attempts,
    endEverything: artefacts.endEverythingOfUser,
    endOthers: artefacts.endOthersOfUser,
    describeBrowser,
    forgetDevices: async (_db, userId) => void forgotten.push(userId),
    endPendingAddress: async () => {},
  })

  return {
    storage,
    clock,
    log,
    sealing,
    attempts,
    artefacts,
    outbox,
    mail: mail.mail,
    notices: notices.notices,
    /** Whose devices were forgotten. */
    forgotten,
    features: { outbox, mail, notices },
    deliver: () => outbox.worker.drain(),
    /** What development mode shows, the oldest first. */
    inbox: async () => ((await mail.inbox?.list()) ?? []).toReversed(),
    queue: () => outbox.queue.list('mail', 100),
    async person(email: string | null, more: { readonly locale?: string; readonly zoneinfo?: string } = {}) {
      const id = newId()
      await storage.db.user.create({
        data: { id, email, emailKey: email?.toLowerCase() ?? null, username: id, usernameKey: id, ...more },
      })
      return id
    },
    async audited(action: string) {
      const rows = await storage.db.auditEvent.findMany({ where: { action } })
      return rows.map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail) as unknown }))
    },
    async command(words: string, input: Readonly<Record<string, unknown>> = {}) {
      const command = mail.commands?.find((each) => each.words.join(' ') === words)
      if (command === undefined) throw new Error(`There is no command ${words}.`)
      return await command.run(input)
    },
  }
}

export const openPost = async (options: PostOptions = {}) => {
  const storage = await openTestStorage()
  const clock = fixedClock()
  const post = postOn(storage, clock, options)
  return {
    ...post,
    storage,
    clock,
    /** Another process over the same database. */
    openAnother: async (own: PostOptions = options) => postOn(await storage.openAnother(), clock, own),
    async [Symbol.asyncDispose]() {
      await post.outbox.worker.stop(1)
      await storage[Symbol.asyncDispose]()
    },
  }
}

export type Post = Awaited<ReturnType<typeof openPost>>
