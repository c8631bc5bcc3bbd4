import { z } from 'zod'
import { distinct, scopeToken } from '../../kernel/fields.ts'

const names = distinct(z.string().min(1).max(200), 100)
const hostName = z
  .string()
  .regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'must be a host name, with *. before it for those below')

/** What no policy gives: who is ours, and who a client is. */
const neverForced = ['id', 'firstParty', 'kind', 'jwks', 'redirectUris']

/** What a client that registers itself may be. Declared, never code. */
export const policySchema = z.strictObject({
  kinds: distinct(z.enum(['web', 'spa', 'native', 'service']), 4).default(['web', 'spa', 'native']),
  grantTypes: names.default(['authorization_code', 'refresh_token']),
  profiles: names.default(['oauth-2.1']),
  scopes: distinct(scopeToken, 200).default(['openid', 'profile', 'email', 'offline_access']),
  /** Of redirect URIs with https; any where nothing is said. */
  redirectHosts: distinct(hostName, 100).optional(),
  /** Fields of the client by our names, whatever it asks for. */
  forced: z
    .record(z.string().max(100), z.unknown())
    .refine(
      (forced) => !neverForced.some((name) => Object.hasOwn(forced, name)),
      `must not name ${neverForced.join(', ')}`,
    )
    .default({}),
  /** Disabled until an administrator enables it. */
  approval: z.boolean().default(false),
  /** Trusted issuers whose software statements are believed. */
  statementIssuers: names.default([]),
  statementRequired: z.boolean().default(false),
})

export type Policy = z.infer<typeof policySchema>

export const defaultPolicy: Policy = policySchema.parse({})

/** What a policy forbids of a client, as a sentence; `undefined` where nothing. */
export function policyFault(
  policy: Policy,
  client: {
    readonly kind: string
    readonly grantTypes: readonly string[]
    readonly profile?: string | undefined
  },
): string | undefined {
  if (!policy.kinds.some((kind) => kind === client.kind))
    return `Clients of kind ${client.kind} cannot register here. Choose among ${policy.kinds.join(', ')}.`
  const grant = client.grantTypes.find((each) => !policy.grantTypes.includes(each))
  if (grant !== undefined)
    return `The grant type ${grant} cannot be registered here. Choose among ${policy.grantTypes.join(', ')}.`
  const profile = client.profile ?? 'oauth-2.1'
  return policy.profiles.includes(profile)
    ? undefined
    : `The security profile ${profile} cannot be registered here. Ask an administrator.`
}

/** The first redirect URI that the policy forbids. */
export const forbiddenRedirect = ({ redirectHosts }: Policy, uris: readonly string[]): string | undefined =>
  redirectHosts &&
  uris.find(
    (uri) => uri.startsWith('https:') && !redirectHosts.some((host) => covers(host, new URL(uri).hostname)),
  )

const covers = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host
