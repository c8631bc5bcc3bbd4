import { administer, saidIn } from '../../kernel/administering.ts'
import type { Clock } from '../../kernel/clock.ts'
import { invalidInput, notFound } from '../../kernel/errors.ts'
import type { Resource } from '../../kernel/resource.ts'
import type { Audit } from '../audit/index.ts'
import { trustedIssuersDefinition } from './definition.ts'
import type { TrustedIssuerStore } from './store.ts'
import { itemOf, type TrustedIssuerDraft, type TrustedIssuerItem } from './trusted-issuers.ts'

export interface AdministrationDependencies {
  readonly store: TrustedIssuerStore
  readonly clock: Clock
  readonly audit: Audit
  /** This server's own issuer identifier. */
  readonly issuer: string
}

export const administerTrustedIssuers = ({
  store,
  clock,
  audit,
  issuer,
}: AdministrationDependencies): Resource<TrustedIssuerItem> =>
  administer({
    definition: trustedIssuersDefinition.resource,
    store,
    clock,
    itemOf,
    // Parsed by the definition's fields.
    draftOf: (input, before) => checked({ ...before, ...saidIn(input) } as TrustedIssuerDraft, issuer),
    record: (db, { item, actor, event }) =>
      audit.recordIn(db, {
        action: `trusted-issuers.${event}`,
        outcome: 'success',
        actor,
        detail: { id: item.id, issuer: item.issuer },
      }),
    unknown: (id) =>
      notFound(
        'trusted_issuers.unknown',
        `There is no trusted issuer ${id} any more. List the trusted issuers to see those there are.`,
      ),
  })

/** Throws `trusted_issuers.inconsistent` and `trusted_issuers.own`. */
function checked(draft: TrustedIssuerDraft, own: string): TrustedIssuerDraft {
  if (draft.jwks !== undefined && draft.jwksUri !== undefined)
    throw invalidInput('trusted_issuers.inconsistent', 'Give either jwks or jwksUri, not both.')
  if (draft.issuer === own) {
    const message = 'This is the server itself, whose tokens are known without being trusted here.'
    throw invalidInput('trusted_issuers.own', message)
  }
  return draft
}
