import type { Client, ClientDraft } from './client.ts'

/**
 * What administrators have set of a client that came by itself is theirs: whatever it says of itself later, these fields
 * stay as they are, those that were taken away too.
 */
export function keptFor<Draft extends ClientDraft>(
  stored: Pick<Client, 'administered'> & ClientDraft,
  draft: Draft,
): Draft {
  const theirs: Readonly<Record<string, unknown>> = { ...stored }
  const kept = (stored.administered ?? []).map((field) => [field, theirs[field]] as const)
  return { ...draft, ...Object.fromEntries(kept), administered: stored.administered }
}

/** Which fields administrators have set once they set these. Nobody else changes a client that one of them made. */
export const administeredWith = (
  { origin, administered = [] }: Pick<Client, 'origin' | 'administered'>,
  fields: readonly string[],
): readonly string[] | undefined =>
  origin === 'administrator' ? undefined : [...new Set([...administered, ...fields])]
