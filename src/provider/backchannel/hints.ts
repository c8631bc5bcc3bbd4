import type { Client } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import type { Sealing } from '../../kernel/sealing.ts'
import type { InstanceInputs } from '../inputs.ts'
import { openSubjects } from '../pairwise.ts'

const ciba = 'urn:openid:params:grant-type:ciba'

/** The claim of an ID token that tells the server, and nobody else, whose pairwise subject it has. */
const subjectReferenceClaim = 'subject_ref'

const place = (clientId: string): string => `id_token:${clientId}:${subjectReferenceClaim}`

type IdToken = InstanceType<Provider['IdToken']>

/**
 * A pairwise subject is made one way, so that an ID token of a client that may ask for people who are elsewhere says in a
 * form that only the server reads who is meant, should it come back as `id_token_hint` (CIBA Core 1.0 §7.1). Sealed for this
 * client and anew for each token, so that nobody sees whether two of them are about the same person.
 */
export function resolveHints({ IdToken }: Provider, { sealing }: Pick<InstanceInputs, 'sealing'>): void {
  const { issue } = IdToken.prototype
  IdToken.prototype.issue = async function referring(this: IdToken, options) {
    const { client, available } = this
    if (options.use === 'idtoken' && isPairwise(client) && client.grantTypes?.includes(ciba) === true)
      this.set(subjectReferenceClaim, sealing.seal(String(available.sub), place(client.clientId)))
    return await issue.call(this, options)
  }
  const validate = IdToken.validate.bind(IdToken)
  const subjectOf = openSubjects(sealing)
  IdToken.validate = async (jwt, client) => {
    const token = await validate(jwt, client)
    if (Provider.ctx?.oidc.route !== 'backchannel_authentication' || !isPairwise(client)) return token
    const userId = opened(sealing, client, token.payload[subjectReferenceClaim])
    // Of another sector than the client's of today it says nothing, as it is not by this subject that the client knows him.
    if (userId === undefined || subjectOf(userId, client) !== token.payload.sub)
      throw new errors.UnknownUserId('the id_token_hint does not tell who is meant, send login_hint')
    return { ...token, payload: { ...token.payload, sub: userId } }
  }
}

const isPairwise = (client: Client): boolean => client.subjectType === 'pairwise'

/** `undefined` for what was not sealed here for this client. */
function opened(sealing: Sealing, { clientId }: Client, sealed: unknown): string | undefined {
  if (typeof sealed !== 'string') return undefined
  try {
    return sealing.open(sealed, place(clientId))
  } catch {
    return undefined
  }
}
