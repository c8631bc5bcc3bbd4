import type { AuthorizationDetail } from '../../kernel/authorization-details.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Payload } from '../artefacts/payload.ts'
import { askedLevels } from '../assurance.ts'
import type { WaitingRequest } from './ports.ts'
import type { StoredRequest } from './rows.ts'

/** The associated data of a sealed notification token. */
export const tokenPlace = (authReqId: string): string =>
  `artefact:BackchannelAuthenticationRequest:${hashSecret(authReqId)}:payload.params.client_notification_token`

const seconds = (value: unknown): Date => new Date(Number(value) * 1000)

/** Checked when they were asked for, and stored as they were sent. */
const detailsOf = ({ authorization_details: text }: Payload): readonly AuthorizationDetail[] =>
  typeof text === 'string' ? (JSON.parse(text) as AuthorizationDetail[]) : []

/** A stored request in our words. */
export function requestOf({ id, payload }: StoredRequest, serverScopes: ReadonlySet<string>): WaitingRequest {
  const scopes = String(payload.scope ?? '')
    .split(' ')
    .filter(Boolean)
  const { binding_message: message, ...params } = (payload.params ?? {}) as Payload
  const indicators = payload.resource === undefined ? [] : [payload.resource].flat()
  const ofApis = scopes.filter((scope) => !serverScopes.has(scope))
  return {
    id,
    userId: String(payload.accountId),
    clientId: String(payload.clientId),
    bindingMessage: typeof message === 'string' ? message : undefined,
    scopes: scopes.filter((scope) => serverScopes.has(scope)),
    resources: Object.fromEntries(indicators.map((indicator) => [String(indicator), ofApis])),
    authorizationDetails: detailsOf(params),
    levels: askedLevels(params),
    startedAt: seconds(payload.iat),
    expiresAt: seconds(payload.exp),
  }
}
