import { AppError, invalidInput } from '../../kernel/errors.ts'
import { isHttps, isLoopbackHttp } from '../../kernel/fields.ts'
import type { RequestFacts } from '../../kernel/http.ts'
import type { DatabaseTransaction } from '../../storage/storage.ts'

/** The terms in force. */
export interface TermsInForce {
  readonly version: string
  readonly url: string
  readonly privacyUrl?: string
}

/** Who accepts which version. */
export interface Acceptance {
  readonly userId: string
  /** As it was shown, so that nobody accepts what came into force while he read. */
  readonly version: string
  readonly request?: RequestFacts
}

/** The terms of use, for whoever asks for them in a form of his own. */
export interface Terms {
  /** `undefined` where there are none to accept. */
  readonly inForce: TermsInForce | undefined
  /** Throws `terms.not_accepted` (400) unless `version` is the one in force; says nothing where there are none. */
  require(version: unknown): void
  /** Records that somebody accepted a version, in the transaction of its cause. Accepting it again changes nothing. */
  accept(db: DatabaseTransaction, acceptance: Acceptance): Promise<void>
}

interface TermsSettings {
  readonly url: string | undefined
  readonly version: string | undefined
  readonly privacyUrl: string | undefined
}

const maximumVersionLength = 100

/** What the settings say. Throws `terms.settings` (500), which names the variable to mend. */
export function termsOf({ url, version, privacyUrl }: TermsSettings): TermsInForce | undefined {
  if (url === undefined && version === undefined) return undefined
  if (url === undefined || version === undefined)
    throw unusable('LATCHKEY_TERMS_URL and LATCHKEY_TERMS_VERSION belong together; set both or none.')
  if (version.length > maximumVersionLength)
    throw unusable(`LATCHKEY_TERMS_VERSION has at most ${maximumVersionLength} characters.`)
  for (const [variable, address] of [
    ['LATCHKEY_TERMS_URL', url],
    ['LATCHKEY_TERMS_PRIVACY_URL', privacyUrl],
  ]) {
    if (address !== undefined && !isHttps(address) && !isLoopbackHttp(address))
      throw unusable(`${variable} must begin with https://.`)
  }
  return { url, version, ...(privacyUrl !== undefined && { privacyUrl }) }
}

const unusable = (message: string): AppError => new AppError('terms.settings', 500, message)

export const notAccepted = (): AppError =>
  invalidInput('terms.not_accepted', 'Accept the terms to go on, or cancel.', { field: 'terms' })
