/**
 * Owns what a person and an administrator see of sessions, and ending them.
 * Does not own sessions themselves, which are the provider's, nor what applications do when one ends (`sessionsEnded`).
 */
import type { Browser } from '../../kernel/http.ts'
import type { Feature } from '../feature.ts'
import { describeBrowser } from './browser.ts'
import { sessionCommands } from './commands.ts'
import { sessionPanel } from './panel.ts'
import { openEnding, publicId, type SessionFeatureDependencies, type Sessions } from './sessions.ts'

export { sessionsDefinition } from './commands.ts'
export type {
  DeviceTrust,
  EndedBy,
  SessionFeatureDependencies,
  SessionRecord,
  SessionSource,
  Sessions,
} from './sessions.ts'

export interface SessionsFeature extends Feature {
  readonly sessions: Sessions
  /** What a User-Agent header tells of browser and system. */
  readonly describeBrowser: (userAgent: string) => Promise<Browser>
}

export function openSessionsFeature(dependencies: SessionFeatureDependencies): SessionsFeature {
  const { source } = dependencies
  const sessions: Sessions = { list: source.sessionsOfUser, ...openEnding(dependencies) }
  const opened = { ...dependencies, sessions }
  return {
    name: 'sessions',
    sessions,
    describeBrowser,
    panels: [sessionPanel(opened)],
    commands: sessionCommands(opened),
    async export(userId) {
      const found = await sessions.list(userId)
      return found.map(({ uid, userId: _, deviceHash: __, ...session }) => ({
        id: publicId(uid),
        ...session,
      }))
    },
  }
}
