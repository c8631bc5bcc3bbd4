import type { ClientDraft } from './client.ts'
import { bindingOf, profileOf } from './profile-effect.ts'
import { knowsOtherwise } from './sector.ts'

type List = readonly string[]

/** What was given under rights that the client no longer has must not live on. */
export const losesRights = (before: ClientDraft, now: ClientDraft): boolean =>
  (before.firstParty && !now.firstParty) ||
  knowsOtherwise(before, now) ||
  profileOf(before) !== profileOf(now) ||
  shrinks(Object.keys(bindingOf(now)), Object.keys(bindingOf(before))) ||
  shrinks(before.scopes, now.scopes) ||
  shrinks(before.authorizationDetailsTypes, now.authorizationDetailsTypes) ||
  shrinks(before.grantTypes, now.grantTypes) ||
  exchangesLess(before, now)

const shrinks = (old: List = [], kept: List = []): boolean => old.some((each) => !kept.includes(each))

/** Whose tokens it may bring, for what, and who may act with its own. */
function exchangesLess(before: ClientDraft, now: ClientDraft): boolean {
  const { tokenExchange: old, mayAct } = before
  const kept = now.tokenExchange
  const credentials = ({ federatedCredentials = [] }: ClientDraft): List =>
    federatedCredentials.map((each) => JSON.stringify(each))
  return (
    (['modes', 'audiences', 'subjectClients', 'subjectIssuers'] as const).some((name) =>
      shrinks(old?.[name], kept?.[name]),
    ) ||
    narrows(old?.subjectAudiences, kept?.subjectAudiences) ||
    // Without one anybody may act, as far as he is let.
    (now.mayAct !== undefined && now.mayAct.sub !== mayAct?.sub) ||
    shrinks(credentials(before), credentials(now))
  )
}

/** Of lists that allow anything where there is none. */
const narrows = (old: List | undefined, kept: List | undefined): boolean =>
  kept !== undefined && (old === undefined || shrinks(old, kept))
