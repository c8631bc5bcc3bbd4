import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { Input } from '../../kernel/input.ts'
import type { Registering } from '../clients/index.ts'
import { completed, fieldsOf, inRegisteredNames, type Metadata, own, scopesOf } from './metadata.ts'
import { forbiddenRedirect, type Policy, policyFault } from './policy.ts'

type Draft = ReturnType<Registering['draft']>

interface Drafting {
  readonly policy: Policy
  readonly registering: Registering
  readonly statement: (jwt: string, issuers: readonly string[]) => Promise<Metadata>
}

/** What a client asks to be as what it may be. Throws the errors of RFC 7591 §3.2.2 as `client-registrations.<code>`. */
export async function draftFrom(
  asked: Metadata,
  { policy, registering, statement }: Drafting,
): Promise<{ readonly draft: Draft; readonly statementIssuer?: string | undefined }> {
  const stated = await statementOf(asked, policy, statement)
  // RFC 7591 §2.3: what the statement says counts, whatever stands beside it.
  const metadata = { ...asked, ...stated }
  refuseOthers(metadata)
  const fields = fieldsOf(metadata, registering.knows)
  const input: Input = {
    ...completed(metadata, fields),
    scopes: scopesOf(metadata, policy.scopes),
    ...policy.forced,
  }
  if (!Object.hasOwn(policy.forced, 'authentication')) refuseAuthentication(input)
  const draft = inProtocolWords(() => registering.draft(input))
  const redirect = forbiddenRedirect(policy, [...draft.redirectUris, ...draft.postLogoutRedirectUris])
  if (redirect !== undefined)
    throw refusal('invalid_redirect_uri', `${redirect} is at a host that cannot be registered here.`)
  const fault = policyFault(policy, draft)
  if (fault !== undefined) throw refusal('invalid_client_metadata', fault)
  return { draft, statementIssuer: typeof stated.iss === 'string' ? stated.iss : undefined }
}

async function statementOf(
  asked: Metadata,
  { statementIssuers, statementRequired }: Policy,
  verify: Drafting['statement'],
): Promise<Metadata> {
  const jwt = own(asked, 'software_statement')
  if (jwt === undefined || jwt === null) {
    if (!statementRequired) return {}
    throw refusal(
      'invalid_software_statement',
      'A software statement is needed here. Send software_statement.',
    )
  }
  if (typeof jwt !== 'string')
    throw refusal('invalid_software_statement', 'software_statement must be a JWT.')
  return await verify(jwt, statementIssuers)
}

/** How a client can prove who it is that nobody here knows yet; tokens of others are for clients that are known. */
const authentications = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const satisfies readonly Draft['authentication'][]

function refuseAuthentication({ authentication, kind }: Input): void {
  const allowed = authentications.filter((each) => kind !== 'service' || each !== 'none')
  if (allowed.some((each) => each === authentication)) return
  const text = `token_endpoint_auth_method must be one of ${allowed.join(', ')}.`
  throw refusal('invalid_client_metadata', text)
}

/** Discovery names the response type none, which is for the server's own pages alone. */
function refuseOthers(metadata: Metadata): void {
  const types = own(metadata, 'response_types')
  if (Array.isArray(types) && types.includes('none'))
    throw refusal('invalid_client_metadata', 'The response type none cannot be registered. Use code.')
}

const redirects = new Set(['redirectUris', 'postLogoutRedirectUris'])

/** The refusals of our own fields in the words of RFC 7591 §3.2.2. */
export function inProtocolWords<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
    const code = redirects.has(error.field ?? '') ? 'invalid_redirect_uri' : 'invalid_client_metadata'
    throw refusal(code, inRegisteredNames(error.message))
  }
}

export const refusal = (code: string, text: string): AppError =>
  invalidInput(`client-registrations.${code}`, text)
