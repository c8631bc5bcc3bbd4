import type { Area } from './area.ts'
import { federate, jwtBearer } from './assertions/federation.ts'
import { assertionGrant } from './assertions/grant.ts'
import { openVerifier } from './assertions/verify.ts'

/** What the assertions of trusted issuers are good for: to authenticate a client, and to get an access token (RFC 7523). */
export const assertions: Area = {
  extend(provider, inputs) {
    const verifier = openVerifier(inputs)
    const federation = federate(provider, { ports: inputs.ports, verifier })
    const parameters = ['assertion', 'scope', 'resource', 'authorization_details']
    const handler = assertionGrant(provider, { ports: inputs.ports, verifier, federation })
    provider.registerGrantType(jwtBearer, handler, parameters, ['resource'])
  },
}
