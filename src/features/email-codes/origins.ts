import type { Text } from '../../kernel/text.ts'
import type { SentLink } from './email-codes.ts'

/** Where and when a sign-in was begun, as its owner would know it. */
export interface Origin {
  readonly application: string
  /** Absent where the browser says nothing that could be believed. */
  readonly place?: Text
  readonly at: Date
}

export type Origins = (of: Pick<SentLink, 'clientId' | 'userAgent' | 'at'>) => Promise<Origin>

export interface OriginDependencies {
  /** What people call the application. */
  readonly clientName: (clientId: string) => Promise<string>
  readonly browserOf: (userAgent: string) => Promise<{ readonly browser: string; readonly system: string }>
}

export const openOrigins =
  ({ clientName, browserOf }: OriginDependencies): Origins =>
  async ({ clientId, userAgent, at }) => {
    const { browser, system } = await browserOf(userAgent)
    const place = { key: 'email-codes.browser-on', params: { browser, system } }
    return {
      application: await clientName(clientId),
      at: new Date(at),
      ...(browser !== '' && system !== '' && { place }),
    }
  }
