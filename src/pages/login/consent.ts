import type { Context } from 'koa'
import { detailView } from '../../kernel/detail-words.ts'
import { AppError } from '../../kernel/errors.ts'
import type { PendingInteraction } from '../../provider/index.ts'
import { deviceModel } from '../device/device-model.ts'
import type { ClientView } from '../models.ts'
import { factsOf, type Pages } from '../page.ts'
import type { PagePorts } from '../ports.ts'
import { clientOf } from './steps.ts'

export interface ConsentPage {
  show(ctx: Context, interaction: PendingInteraction): Promise<void>
  allow(ctx: Context, interaction: PendingInteraction): Promise<void>
}

/** Asks for exactly what the request is missing; what is allowed is remembered for this person and client. */
export function openConsentPage(ports: PagePorts, pages: Pages): ConsentPage {
  const { apis, consents, detailTypes, interactions, people, refreshLifetimeSeconds } = ports

  return {
    async show(ctx, interaction) {
      const { uid, missing, clientId, offlineAccess, decidesAnew } = interaction
      const userId = personOf(interaction)
      const path = `/interaction/${uid}`
      const resources = await Promise.all(
        Object.entries(missing.resources).map(async ([indicator, wanted]) => {
          const api = await apis.view(indicator)
          return {
            name: api?.name ?? indicator,
            scopes: wanted.map((name) => api?.scopes.find((scope) => scope.name === name) ?? { name }),
          }
        }),
      )
      const details = await Promise.all(
        (missing.authorizationDetails ?? []).map(async (detail) =>
          detailView(detail, await detailTypes.view(detail.type)),
        ),
      )
      const device = await deviceModel(ports, ctx, interaction)
      const client = await clientOf(ports, interaction)
      pages.answer(ctx, 'login/consent', {
        ...(device && { device }),
        action: `${path}/consent`,
        abortAction: `${path}/abort`,
        switchAction: `${path}/switch`,
        client,
        ...(client.unchecked && { clientHost: vouching(client, interaction) }),
        account: (await people.view(userId)) ?? {},
        scopes: missing.scopes.filter((scope) => scope !== 'offline_access').map((name) => ({ name })),
        claims: missing.claims.filter((claim) => !protocolClaims.has(claim)),
        resources,
        details,
        offlineAccess,
        ...(offlineAccess ? { accessForSeconds: await refreshLifetimeSeconds(clientId) } : undefined),
        newOnly: !decidesAnew && (await consents.find(userId, clientId)) !== undefined,
      })
    },

    async allow(ctx, interaction) {
      const userId = personOf(interaction)
      const { clientId, missing } = interaction
      await consents.remember({ userId, clientId }, missing, factsOf(ctx))
      await interactions.finishConsent(ctx, interaction, missing)
    },
  }
}

/**
 * Who answers for a client that nobody here has checked: the host of its document, or whoever gets what is given. Where that
 * is a program on any machine, it is only what the client calls itself.
 */
function vouching({ name }: ClientView, { clientId, redirectUri }: PendingInteraction): string {
  const uri = [clientId, redirectUri].find((each) => each?.startsWith('https://'))
  return uri === undefined ? name : new URL(uri).host
}

/** What is of the sign-in and not of the person. */
const protocolClaims = new Set(['sub', 'acr', 'amr', 'auth_time', 'sid', 'nonce'])

function personOf({ prompt, userId }: PendingInteraction): string {
  if (prompt === 'consent' && userId !== undefined) return userId
  throw new AppError(
    'login.wrong_step',
    400,
    'There is nothing to allow at this step. Go back to the application and sign in again.',
  )
}
