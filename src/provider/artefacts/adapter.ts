import type { Adapter, AdapterPayload } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { clientMetadata } from '../client-metadata.ts'
import { eachOrUnavailable } from '../errors.ts'
import { GrantGone, isRewriting } from '../grants/known-grants.ts'
import type { Clients } from '../ports.ts'
import type { SessionStore } from '../sessions/sessions.ts'
import type { Artefacts } from './artefacts.ts'
import type { Payload } from './payload.ts'

export interface AdapterDependencies {
  readonly artefacts: Artefacts
  readonly sessions: SessionStore
  readonly clients: Clients
  readonly deviceCodes: Partial<Adapter>
  readonly backchannelRequests: Partial<Adapter>
  readonly serverScopes: ReadonlySet<string>
  /** The registered types of authorization details (RFC 9396). */
  readonly detailTypes?: ReadonlySet<string>
  /** The client that the request at hand has authenticated as. */
  readonly currentClientId: () => string | undefined
  /** Where the request at hand comes from. */
  readonly currentAddress?: () => string | undefined
}

type Operations = Partial<Adapter>

const absent = async (): Promise<undefined> => undefined

/** The library's storage interface: one adapter per model, each only with what that model uses. */
export function adapterFactory(dependencies: AdapterDependencies): (model: string) => Adapter {
  const special: Readonly<Record<string, Operations>> = {
    Client: clientAdapter(dependencies),
    Session: sessionAdapter(dependencies.sessions),
    Interaction: { destroy: (id) => dependencies.artefacts.endInteraction(id) },
    DeviceCode: dependencies.deviceCodes,
    BackchannelAuthenticationRequest: dependencies.backchannelRequests,
    // The library removes a grant and what came from it in several writes; here they go together or not at all.
    Grant: grantAdapter(dependencies.artefacts),
  }
  return (model) => eachOrUnavailable({ ...artefactAdapter(model, dependencies), ...special[model] })
}

function artefactAdapter(model: string, dependencies: AdapterDependencies): Adapter {
  const { artefacts, currentClientId } = dependencies
  // The library keeps what was pushed without saying by whom; it ends with its client as everything else does.
  const owned = (payload: Payload): Payload =>
    model === 'PushedAuthorizationRequest' ? { ...payload, clientId: currentClientId() } : payload
  return {
    upsert: (id, payload, expiresIn) =>
      artefacts.save(model, { id, payload: owned(payload as Payload), ttlSeconds: expiresIn || undefined }),
    async find(id) {
      const found = await artefacts.find(model, id)
      if (found === undefined && onceOnly.has(model)) await endReplayed(dependencies, model, id)
      return found as AdapterPayload | undefined
    },
    findByUid: absent,
    findByUserCode: absent,
    // The library asks "is it consumed?" and then says "consume it"; between the two another request may have come.
    async consume(id) {
      if (await artefacts.consume(model, id)) return
      if (model === 'PushedAuthorizationRequest')
        throw new errors.InvalidRequestUri('request_uri was already used')
      const lost = await artefacts.find(model, id)
      if (typeof lost?.grantId === 'string') await artefacts.endGrant(lost.grantId)
      throw new errors.InvalidGrant(`${model} already consumed`)
    },
    destroy: (id) => artefacts.remove(model, id),
    revokeByGrantId: (grantId) => artefacts.removeByGrant(model, grantId),
  }
}

const onceOnly = new Set(['AuthorizationCode', 'RefreshToken'])

/** One that comes again after its time gives nothing, but shows that two had it: what it gave ends (RFC 6749 §4.1.2). */
async function endReplayed(
  { artefacts, currentClientId }: AdapterDependencies,
  model: string,
  id: string,
): Promise<void> {
  const spent = await artefacts.findSpent(model, id)
  // Only for its own client: somebody who finds an old code must not be able to sign people out.
  if (typeof spent?.grantId === 'string' && spent.clientId === currentClientId())
    await artefacts.endGrant(spent.grantId)
}

const grantAdapter = (artefacts: Artefacts): Operations => ({
  destroy: (id) => artefacts.endGrant(id),
  async upsert(id, payload, expiresIn) {
    const grant = { id, payload: payload as Payload, ttlSeconds: expiresIn || undefined }
    if (!isRewriting()) await artefacts.save('Grant', grant)
    else if (!(await artefacts.rewrite('Grant', grant))) throw new GrantGone()
  },
})

const clientAdapter = ({
  clients,
  serverScopes,
  detailTypes,
  currentAddress,
}: AdapterDependencies): Operations => ({
  async find(id) {
    const client = await clients.find(id, currentAddress?.())
    if (client === undefined) return undefined
    // One that is registered no more is left out: the library would have nothing to do with a client that names it.
    const types = client.authorizationDetailsTypes?.filter((type) => detailTypes?.has(type)) ?? []
    return {
      ...clientMetadata(client, serverScopes),
      ...(types.length > 0 && { authorization_details_types: types }),
    }
  },
})

const sessionAdapter = (sessions: SessionStore): Operations => ({
  upsert: (id, payload, expiresIn = 0) => sessions.save(id, payload as Payload, expiresIn),
  find: (id) => sessions.find(id) as Promise<AdapterPayload | undefined>,
  findByUid: (uid) => sessions.findByUid(uid) as Promise<AdapterPayload | undefined>,
  // Called for the old identifier when the library rotates it; the row moves to the new one in `upsert`.
  // A session ends by `SessionStore.end`, which `Session.destroy` calls.
  destroy: async () => {},
})
