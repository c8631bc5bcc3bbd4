import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { assuranceCheck } from './assurance.ts'
import { detailsCheck } from './authorization-details/check.ts'
import { deviceConfirmation } from './device/confirmation.ts'
import { requested } from './grants/grants.ts'
import type { Ports } from './ports.ts'

const { base, Check, Prompt } = interactionPolicy

/** When a person is asked for something in the middle of an authorization request. */
export function interactionPrompts({
  clients,
  consents,
}: Pick<Ports, 'clients' | 'consents'>): ReturnType<typeof base> {
  const prompts = base()
  // OpenID Connect Prompt Create 1.0; before the sign-in, which it stands for.
  prompts.add(new Prompt({ name: 'create', requestable: true }), 0)
  const login = prompts.get('login')
  const consent = prompts.get('consent')
  if (login === undefined || consent === undefined)
    throw new Error('The library has no login or consent prompt.')
  login.checks.add(
    new Check(
      'account_unavailable',
      'the signed-in account may not be used',
      'login_required',
      ({ oidc }: KoaContextWithOIDC) =>
        oidc.session?.accountId !== undefined && oidc.account === undefined
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT,
    ),
  )
  login.checks.add(redirectStands())
  login.checks.remove('essential_acrs')
  login.checks.remove('essential_acr')
  login.checks.add(assuranceCheck(clients))
  // Who is asked again decides about all of it, not only about what is missing.
  consent.details = (ctx) => ({ asked: requested(ctx) })
  // A native application could be an impostor, which is why the library always asks; an operator's own one is known.
  consent.checks.remove('native_client_prompt')
  consent.checks.add(
    new Check(
      'native_client_prompt',
      'native clients require End-User interaction',
      'interaction_required',
      ({ oidc }: KoaContextWithOIDC) =>
        oidc.client?.applicationType === 'native' &&
        oidc.client.first_party !== true &&
        oidc.result?.consent === undefined
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT,
    ),
  )
  consent.checks.add(deviceConfirmation())
  consent.checks.remove('rar_prompt')
  consent.checks.add(detailsCheck(consents))
  return prompts
}

/**
 * The library looks at the redirect URI when a request arrives. One that was taken from the client while the person was
 * signing in gets nothing either.
 */
const redirectStands = () =>
  new Check(
    'redirect_uri_gone',
    'the redirect URI is no longer registered',
    'invalid_redirect_uri',
    ({ oidc: { client, params } }: KoaContextWithOIDC) => {
      const uri = params?.redirect_uri
      if (typeof uri === 'string' && client?.redirectUriAllowed(uri) === false)
        throw new errors.InvalidRedirectUri()
      return Check.NO_NEED_TO_PROMPT
    },
  )
