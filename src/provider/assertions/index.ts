import type { Area } from '../area.ts'
import { federate, jwtBearer } from './federation.ts'
import { assertionGrant } from './grant.ts'

/** What the assertions of trusted issuers are good for: to authenticate a client, and to get an access token (RFC 7523). */
export const assertions: Area = {
  extend(provider, inputs) {
    const federation = federate(provider, inputs)
    const parameters = ['assertion', 'scope', 'resource', 'authorization_details']
    const handler = assertionGrant(provider, { ...inputs, federation })
    provider.registerGrantType(jwtBearer, handler, parameters, ['resource'])
  },
}
