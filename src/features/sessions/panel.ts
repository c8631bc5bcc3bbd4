import type { Text, View } from '../../kernel/text.ts'
import type { Panel, PanelAct, Visit } from '../feature.ts'
import { describeBrowser } from './browser.ts'
import {
  notFound,
  publicId,
  type SessionFeatureDependencies,
  type SessionRecord,
  type Sessions,
} from './sessions.ts'

type Dependencies = Pick<SessionFeatureDependencies, 'clientName'> & { readonly sessions: Sessions }

/** How somebody signed in, in words (RFC 8176 §2); what has none is left out. */
const methods: Readonly<Record<string, Text>> = {
  pwd: { key: 'sessions.by-password' },
  otp: { key: 'sessions.by-code' },
  hwk: { key: 'sessions.by-key' },
  swk: { key: 'sessions.by-key' },
}

/** Of the other ones, the last used; whoever has more signs out of all of them at once. */
const shownAtMost = 50

/** The sessions of a person, on the page of his devices. */
export const sessionPanel = ({ sessions, clientName }: Dependencies): Panel => {
  const shown = async (session: SessionRecord) => {
    const { uid, signedInAt, lastUsedAt, kept, amr, userAgent, address, clientIds } = session
    const names = await Promise.all(clientIds.map(clientName))
    return {
      id: publicId(uid),
      signedInAt,
      lastUsedAt,
      kept,
      ...(address !== undefined && { address }),
      device: await describeBrowser(userAgent),
      methods: methodsOf(amr),
      applications: names.filter((name) => name !== undefined).toSorted(),
    }
  }

  const show = async ({ userId, sessionUid }: Visit): Promise<View> => {
    const all = await sessions.list(userId)
    const others = all.filter(({ uid }) => uid !== sessionUid)
    const own = all.find(({ uid }) => uid === sessionUid)
    return {
      template: 'sessions/panel',
      model: {
        ...(own && { own: await shown(own) }),
        others: await Promise.all(others.slice(0, shownAtMost).map(shown)),
        more: Math.max(0, others.length - shownAtMost),
      },
    }
  }

  return { name: 'sessions', page: 'devices', order: 10, show, acts: acts(sessions) }
}

const methodsOf = (amr: readonly string[]): readonly Text[] => {
  const texts = amr.flatMap((method) => (Object.hasOwn(methods, method) ? (methods[method] ?? []) : []))
  return texts.filter(({ key }, index) => texts.findIndex((text) => text.key === key) === index)
}

const acts = (sessions: Sessions): Readonly<Record<string, PanelAct>> => ({
  end: {
    async run({ userId, sessionUid, request }, { session = '' }) {
      if (session === '') throw notFound()
      await sessions.end(session, { userId, actor: { kind: 'user', userId }, request })
      return session === publicId(sessionUid) ? { signedOut: true } : { notice: { key: 'sessions.ended' } }
    },
  },
  'end-others': {
    async run({ userId, sessionUid, request }) {
      await sessions.endOthers(userId, sessionUid, { actor: { kind: 'user', userId }, request })
      return { notice: { key: 'sessions.others-ended' } }
    },
  },
})
