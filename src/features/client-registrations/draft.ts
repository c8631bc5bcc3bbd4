import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { Input } from '../../kernel/input.ts'
import type { Registering } from '../clients/index.ts'
import { completed, fieldsOf, type Metadata, own, scopesOf } from './metadata.ts'
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

/** The response type none needs no registration; the library would refuse it in words that say nothing. */
function refuseOthers(metadata: Metadata): void {
  const types = own(metadata, 'response_types')
  if (Array.isArray(types) && types.includes('none'))
    throw refusal('invalid_client_metadata', 'The response type none cannot be registered. Use code.')
}

/** The refusals of our own fields in the words of RFC 7591 §3.2.2. */
export function inProtocolWords<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
    const isRedirect = /^(redirectUris|postLogoutRedirectUris)\b|redirect URI|scheme of its own/.test(
      error.message,
    )
    const text = error.message.replace(/\b[a-z]+(?:[A-Z][a-z]+)+\b/g, (name) =>
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    )
    throw refusal(isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', text)
  }
}

export const refusal = (code: string, text: string): AppError =>
  invalidInput(`client-registrations.${code}`, text)
