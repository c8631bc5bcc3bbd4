import type { Middleware } from 'koa'
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Area } from '../area.ts'
import { clientOf } from '../client-metadata.ts'
import type { OptionInputs } from '../inputs.ts'
import { pairwiseOptions } from '../pairwise.ts'
import type { ProviderPages } from '../ports.ts'
import { refuseRequestObject } from '../profiles/request-objects.ts'
import type { ClientEncryption } from './client-encryption.ts'
import { boundRequests, requestObjectRules } from './request-objects.ts'

/** What the server signs with: it has a key for each. */
const signing = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
/** What clients may sign with. Nothing symmetric: secrets are stored hashed, so no signature by one could be checked. */
const accepted = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const
/** No RSA1_5 and no RSA-OAEP with SHA-1; no `dir` and no key wrapping by secrets, which the server does not know. */
const keyManagement = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
const content = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const

/** What is signed and encrypted beside tokens: requests, responses, user information; and who sees which `sub`. */
export const encryption: Area = {
  options: (inputs) => ({
    ...pairwiseOptions(inputs.sealing),
    enabledJWA: algorithms(),
    features: features(inputs),
  }),
  extend(provider, inputs) {
    boundRequests(provider, inputs)
    explainMissingKey(provider)
  },
}

/** Lists of its own for each instance: the library takes out of them what it does not offer. */
const algorithms = (): Configuration['enabledJWA'] => ({
  clientAuthSigningAlgValues: [...accepted],
  dPoPSigningAlgValues: [...accepted],
  requestObjectSigningAlgValues: [...accepted],
  idTokenSigningAlgValues: [...signing],
  userinfoSigningAlgValues: [...signing],
  introspectionSigningAlgValues: [...signing],
  authorizationSigningAlgValues: [...signing],
  ...forEach(['requestObject', 'idToken', 'userinfo', 'introspection', 'authorization']),
})

const forEach = (subjects: readonly string[]): Configuration['enabledJWA'] =>
  Object.fromEntries(
    subjects.flatMap((subject) => [
      [`${subject}EncryptionAlgValues`, [...keyManagement]],
      [`${subject}EncryptionEncValues`, [...content]],
    ]),
  )

const features = (inputs: OptionInputs): Configuration['features'] => ({
  claimsParameter: { enabled: true },
  encryption: { enabled: true },
  jwtIntrospection: { enabled: true },
  jwtResponseModes: { enabled: true },
  jwtUserinfo: { enabled: true },
  requestObjects: {
    enabled: true,
    async assertJwtClaimsAndHeader(...[ctx, claims, header, client]) {
      // First, as it names the profile.
      refuseRequestObject(inputs, { ctx, claims, header, client })
      requestObjectRules(inputs.clock)(ctx, claims, header)
    },
  },
  rpMetadataChoices: { enabled: true },
})

type Use = Parameters<InstanceType<Provider['IdToken']>['issue']>[0]['use']

const encryptedBy: Readonly<Record<string, keyof ClientEncryption>> = {
  idtoken: 'idTokenEncryptedResponseAlg',
  logout: 'idTokenEncryptedResponseAlg',
  userinfo: 'userinfoEncryptedResponseAlg',
  authorization: 'authorizationEncryptedResponseAlg',
  introspection: 'introspectionEncryptedResponseAlg',
}

/**
 * Where the keys that a client publishes are too weak, or of a kind that does not encrypt, that is the client's fault and
 * not the server's. Nothing is ever sent unencrypted instead.
 */
function explainMissingKey({ IdToken }: Provider): void {
  const { issue } = IdToken.prototype
  IdToken.prototype.issue = async function issued(options) {
    try {
      return await issue.call(this, options)
    } catch (cause) {
      const { client } = this as unknown as { readonly client?: ClientEncryption }
      const encrypts = client?.[encryptedBy[options.use as Use & string] ?? 'subjectType'] !== undefined
      if (!encrypts || !isOfKeys(cause)) throw cause
      throw notToBeEncrypted()
    }
  }
}

/** What `jose` says of a key: a `TypeError`, or an error of its own with a code; or what the library says where it finds none. */
const isOfKeys = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof errors.InvalidClientMetadata ||
  (error instanceof Error && 'code' in error && /^ERR_JO|^ERR_JWK/.test(String(error.code)))

function notToBeEncrypted(): errors.InvalidClientMetadata {
  const error = new errors.InvalidClientMetadata('no suitable encryption key found')
  // The application would get it encrypted, too.
  error.allow_redirect = false
  return error
}

/** An authorization response that cannot be encrypted is told to the person: a page, and nothing for the application. */
export const tellUnencryptable =
  ({ error }: ProviderPages): Middleware =>
  async (ctx, next) => {
    try {
      await next()
    } catch (cause) {
      if (!(cause instanceof errors.InvalidClientMetadata) || ctx.oidc === undefined) throw cause
      ctx.status = cause.statusCode
      ctx.type = 'html'
      ctx.body = error(ctx, {
        error: cause.error,
        description: cause.error_description,
        status: ctx.status,
        client: clientOf(ctx as KoaContextWithOIDC),
      })
    }
  }

/** Keys that decrypt what is on its way stay out of the key set, so that nobody encrypts with them any more. */
export const withdrawn =
  (kids: readonly string[]): Middleware =>
  async (ctx, next) => {
    await next()
    if (kids.length === 0 || ctx.oidc?.route !== 'jwks') return
    const { keys } = ctx.body as { readonly keys: readonly { readonly kid?: string }[] }
    ctx.body = { keys: keys.filter(({ kid = '' }) => !kids.includes(kid)) }
  }
