import type { Browser } from '../../kernel/http.ts'
import type { Text } from '../../kernel/text.ts'
import type { SentLink } from './email-codes.ts'

/** Where and when a sign-in was begun, as its owner would know it. */
export interface Origin {
  readonly application: string
  /** Absent where the browser says nothing that could be believed. */
  readonly place?: Text
  readonly at: Date
}

/** Puts into words where a sign-in was begun. */
export type Origins = (of: Pick<SentLink, 'clientId' | 'userAgent' | 'at'>) => Promise<Origin>

export interface OriginDependencies {
  /** What people call the application. */
  readonly clientName: (clientId: string) => Promise<string>
  readonly describeBrowser: (userAgent: string) => Promise<Browser>
}

export const openOrigins =
  ({ clientName, describeBrowser }: OriginDependencies): Origins =>
  async ({ clientId, userAgent, at }) => {
    const { browser, system } = await describeBrowser(userAgent)
    return {
      application: await clientName(clientId),
      at: new Date(at),
      ...(browser !== undefined &&
        system !== undefined && { place: { key: 'email-codes.browser-on', params: { browser, system } } }),
    }
  }
