import type { Challenges } from '../attempts/index.ts'
import type { Attempt } from '../feature.ts'
import { type Asked, type OpenedLink, purposes, type SentCode, type SentLink } from './email-codes.ts'

const askedTtlSeconds = 3_600

/** What is remembered of codes: for a sign-in, and for the holder of a link. */
export interface Memory {
  /** What this sign-in asked for, unless it is about another person by now. */
  asked(attempt: Attempt): Promise<Asked | undefined>
  code(attemptId: string): Promise<SentCode | undefined>
  link(linkHash: string): Promise<SentLink | undefined>
  /** Remembers a new code in place of the one before, whose link ends. */
  put(attemptId: string, sent: Remembered): Promise<void>
  /** Counts an answer, then gives the code; `undefined` once as many as are allowed were counted. */
  answer(attemptId: string, limit: number): Promise<SentCode | undefined>
  /** Exactly once. */
  take(attemptId: string): Promise<SentCode | undefined>
  endLink(linkHash: string): Promise<void>
  /** The sign-in's own pages go on with the link from here. */
  open(attemptId: string, opened: OpenedLink): Promise<void>
  /** The token, as long as the code that it came with is the one under way. */
  opened(attemptId: string): Promise<string | undefined>
  endOpened(attemptId: string): Promise<void>
}

interface Remembered {
  readonly asked: Asked
  readonly code: SentCode
  readonly link: SentLink
}

export const openMemory = (challenges: Challenges, codeSeconds: number): Memory => {
  const stateOf = <T>(found: { readonly state: unknown } | undefined): T | undefined =>
    found === undefined ? undefined : (found.state as T)
  const code = async (attemptId: string): Promise<SentCode | undefined> =>
    stateOf<SentCode>(await challenges.find(attemptId, purposes.code))

  return {
    async asked({ id, userId }) {
      const asked = stateOf<Asked>(await challenges.find(id, purposes.asked))
      return userId === undefined || asked?.userId === userId ? asked : undefined
    },
    code,
    link: async (linkHash) => stateOf<SentLink>(await challenges.find(linkHash, purposes.link)),

    async put(attemptId, sent) {
      const before = await code(attemptId)
      const { userId } = sent.asked
      const ofUser = userId === undefined ? {} : { userId }
      const ttlSeconds = codeSeconds
      await challenges.put(attemptId, purposes.code, { ...ofUser, state: sent.code, ttlSeconds })
      await challenges.put(sent.code.linkHash, purposes.link, { ...ofUser, state: sent.link, ttlSeconds })
      await challenges.put(attemptId, purposes.asked, {
        ...ofUser,
        state: sent.asked,
        ttlSeconds: Math.max(askedTtlSeconds, codeSeconds),
      })
      if (before !== undefined) await challenges.end(before.linkHash, purposes.link)
    },

    answer: async (attemptId, limit) =>
      stateOf<SentCode>(await challenges.attempt(attemptId, purposes.code, limit)),
    take: async (attemptId) => stateOf<SentCode>(await challenges.take(attemptId, purposes.code)),
    endLink: (linkHash) => challenges.end(linkHash, purposes.link),

    open: (attemptId, state) =>
      challenges.put(attemptId, purposes.opened, { state, ttlSeconds: codeSeconds }),
    async opened(attemptId) {
      const opened = stateOf<OpenedLink>(await challenges.find(attemptId, purposes.opened))
      return opened !== undefined && opened.codeId === (await code(attemptId))?.id ? opened.token : undefined
    },
    endOpened: (attemptId) => challenges.end(attemptId, purposes.opened),
  }
}
