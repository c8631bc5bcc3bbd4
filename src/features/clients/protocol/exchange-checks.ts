import type { Check } from './check.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export const exchangeChecks: readonly Check[] = [
  ({ grantTypes, tokenExchange }) => {
    const may = grantTypes.includes(exchange)
    if (may && !tokenExchange)
      return `The grant ${exchange} needs to be told what it may take and give. Give tokenExchange.`
    return !may && tokenExchange
      ? `tokenExchange is of use with the grant ${exchange} alone. Add the grant or leave tokenExchange out.`
      : undefined
  },
  ({ grantTypes, federatedCredentials }) =>
    grantTypes.includes(jwtBearer) && !federatedCredentials
      ? `The grant ${jwtBearer} needs to be told whose assertions it takes. Give federatedCredentials.`
      : undefined,
  ({ grantTypes, authentication }) =>
    grantTypes.includes(jwtBearer) && authentication.endsWith('tls_client_auth')
      ? `With the grant ${jwtBearer} a client proves itself by the assertion or in another way than ${authentication}. Choose federated_jwt or private_key_jwt.`
      : undefined,
  ({ authentication, federatedCredentials }) =>
    authentication === 'federated_jwt' && !federatedCredentials
      ? 'federated_jwt needs to be told which tokens prove the client. Give federatedCredentials.'
      : undefined,
  ({ authentication, grantTypes, federatedCredentials }) =>
    federatedCredentials && authentication !== 'federated_jwt' && !grantTypes.includes(jwtBearer)
      ? `federatedCredentials are of use with the authentication federated_jwt or the grant ${jwtBearer}. Choose one or leave them out.`
      : undefined,
]
