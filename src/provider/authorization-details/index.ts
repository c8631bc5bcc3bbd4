import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import {
  type AuthorizationDetail,
  detailsAmong,
  distinctDetails,
  isWithin,
} from '../../kernel/authorization-details.ts'
import type { Area } from '../area.ts'
import type { Ports } from '../ports.ts'
import { askedDetails } from './asked.ts'

const detailsMaximum = 10
const longestParameter = 16_384

/**
 * Rich authorization requests (RFC 9396). Off as long as no type is registered; a change of types makes a new instance,
 * so what the discovery document says is what is accepted.
 */
export const authorizationDetails: Area = {
  options: ({ ports, authorizationTypes }) => ({
    features: {
      richAuthorizationRequests: {
        enabled: authorizationTypes.length > 0,
        types: Object.fromEntries(
          authorizationTypes.map(({ type }) => [type, { validate: validating(ports) }] as const),
        ),
        authorizationDetailsForGrantSource: async (ctx: KoaContextWithOIDC) => granted(ctx),
        authorizationDetailsForAccessToken: (ctx: KoaContextWithOIDC, token: Holder, source?: Source) =>
          forAccessToken(ports, ctx, { token, source }),
        authorizationDetailsForIntrospection: async (_ctx: KoaContextWithOIDC, { rar }: Source) => rar,
      },
    } as Configuration['features'],
  }),
}

interface Source {
  readonly rar?: readonly AuthorizationDetail[] | undefined
}

interface Holder {
  readonly aud?: unknown
  readonly clientId?: string | undefined
}

const refused = (reason: string): Error => new errors.InvalidAuthorizationDetails(reason)

/** RFC 9396 §5: the client may ask for the type, the details are of it, and an API that was named understands it. */
const validating =
  (ports: Ports) =>
  async (ctx: KoaContextWithOIDC, detail: AuthorizationDetail, client: { readonly clientId: string }) => {
    const { type } = detail
    if (String(ctx.oidc.params?.authorization_details).length > longestParameter)
      throw refused(`authorization_details must have at most ${longestParameter} characters`)
    const all = askedDetails(ctx)
    if (all.length > detailsMaximum)
      throw refused(`authorization_details must have at most ${detailsMaximum} members`)
    const own = await ports.clients.find(client.clientId)
    if (own?.authorizationDetailsTypes?.includes(type) !== true)
      throw refused(`authorization details type '${type}' is not allowed for this client`)
    const fault = await ports.authorizationTypes.faultOf(detail)
    if (fault !== undefined) throw refused(`authorization details of type '${type}': ${plain(fault)}`)
    const apis = await Promise.all(namedApis(ctx, all).map(ports.apis.find))
    if (apis.length > 0 && !apis.some((api) => api?.authorizationDetailsTypes?.includes(type)))
      throw refused(`no resource of the request understands authorization details type '${type}'`)
  }

/** RFC 6749 §5.2: a description has neither quotation marks nor backslashes, nor anything beyond ASCII. */
const plain = (text: string): string => text.replace(/"/g, "'").replace(/[^\x20-\x7e]|\\/g, '?')

function namedApis({ oidc }: KoaContextWithOIDC, all: readonly AuthorizationDetail[]): readonly string[] {
  const resource = oidc.params?.resource ?? all.flatMap(({ locations }) => locations)
  return [resource].flat().filter((each) => typeof each === 'string')
}

/** What goes into a code: of what is asked, what the person has allowed. */
function granted(ctx: KoaContextWithOIDC): readonly AuthorizationDetail[] {
  const { rar = [] } = (ctx.oidc.entities.Grant ?? {}) as Source
  return distinctDetails(detailsAmong(askedDetails(ctx), rar))
}

/** What goes into a token: of what was allowed, what is asked now, what the API understands, and the client may have still. */
async function forAccessToken(
  ports: Ports,
  ctx: KoaContextWithOIDC,
  { token, source }: { readonly token: Holder; readonly source: Source | undefined },
): Promise<readonly AuthorizationDetail[]> {
  const asked = askedDetails(ctx)
  const { aud, clientId = '' } = token
  const [client, api, types] = await Promise.all([
    ports.clients.find(clientId),
    typeof aud === 'string' ? ports.apis.find(aud) : undefined,
    ports.authorizationTypes.list(),
  ])
  const given = source === undefined ? asked : narrowed(source.rar ?? [], asked)
  return distinctDetails(given).filter(
    ({ type }) =>
      client?.authorizationDetailsTypes?.includes(type) &&
      api?.authorizationDetailsTypes?.includes(type) &&
      types.some((each) => each.type === type),
  )
}

/** RFC 9396 §6: a token request may ask for less, never for more. */
function narrowed(
  given: readonly AuthorizationDetail[],
  asked: readonly AuthorizationDetail[],
): readonly AuthorizationDetail[] {
  if (asked.length === 0) return given
  const beyond = asked.find((detail) => !given.some((each) => isWithin(detail, each)))
  if (beyond === undefined) return asked
  throw refused(`authorization details of type '${beyond.type}' go beyond what was granted`)
}
