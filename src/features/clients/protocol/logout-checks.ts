import type { ClientDraft } from '../client.ts'
import type { Check } from './check.ts'

const originOf = (uri: string): string | undefined => URL.parse(uri)?.origin

/** OpenID Connect Front-Channel Logout 1.0 §2: scheme, host and port of a redirect URI. */
const isOwnOrigin = (uri: string, { redirectUris }: ClientDraft): boolean =>
  redirectUris.some((redirect) => originOf(redirect) === originOf(uri))

export const logoutChecks: readonly Check[] = [
  ({ grantTypes, backchannelLogoutUri, frontchannelLogoutUri }) =>
    (backchannelLogoutUri ?? frontchannelLogoutUri) !== undefined &&
    !grantTypes.includes('authorization_code')
      ? 'Nobody signs in to a client without the grant authorization_code. Leave the logout addresses out, or add the grant.'
      : undefined,
  (draft) =>
    draft.frontchannelLogoutUri !== undefined && !isOwnOrigin(draft.frontchannelLogoutUri, draft)
      ? 'frontchannelLogoutUri must have the scheme, host and port of one of redirectUris.'
      : undefined,
  ({ backchannelLogoutUri, backchannelLogoutSessionRequired }) =>
    backchannelLogoutSessionRequired === true && backchannelLogoutUri === undefined
      ? 'backchannelLogoutSessionRequired needs a backchannelLogoutUri.'
      : undefined,
  ({ frontchannelLogoutUri, frontchannelLogoutSessionRequired }) =>
    frontchannelLogoutSessionRequired === true && frontchannelLogoutUri === undefined
      ? 'frontchannelLogoutSessionRequired needs a frontchannelLogoutUri.'
      : undefined,
]
