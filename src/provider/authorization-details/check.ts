import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { detailsAmong } from '../../kernel/authorization-details.ts'
import type { Consents } from '../ports.ts'
import { askedDetails } from './asked.ts'

const { Check } = interactionPolicy

/**
 * What is asked in detail (RFC 9396) is shown to the person each time, whoever asks, unless exactly the same was allowed
 * before and may be remembered.
 */
export const detailsCheck = (consents: Consents): InstanceType<typeof Check> =>
  new Check(
    'rar_prompt',
    'authorization_details were requested',
    'consent_required',
    async (ctx: KoaContextWithOIDC) => {
      const { client, account, result } = ctx.oidc
      const asked = askedDetails(ctx)
      if (asked.length === 0 || result?.consent !== undefined) return Check.NO_NEED_TO_PROMPT
      const given = await consents.find(account?.accountId ?? '', client?.clientId ?? '')
      return detailsAmong(asked, given?.authorizationDetails ?? []).length === asked.length
        ? Check.NO_NEED_TO_PROMPT
        : Check.REQUEST_PROMPT
    },
    (ctx: KoaContextWithOIDC) => ({ rar: askedDetails(ctx) }),
  )
