import { invalidInput } from '../../kernel/errors.ts'
import type { ClientDraft } from './client.ts'

/** What is known of an API by its indicator; `undefined` where there is none. */
export type FindApi = (indicator: string) => Promise<{ readonly isActive: boolean } | undefined>

/**
 * A default that no token can be given for would be told to the client's first request alone, so it is refused when it is
 * set. Throws `clients.unknown_default_resource`. One that stays as it was stops no other change.
 */
export async function checkDefaultResource(
  findApi: FindApi,
  { defaultResource: indicator }: ClientDraft,
  before?: ClientDraft,
): Promise<void> {
  if (indicator === undefined || indicator === before?.defaultResource) return
  const api = await findApi(indicator)
  if (api?.isActive === true) return
  throw invalidInput(
    'clients.unknown_default_resource',
    api === undefined
      ? `There is no API ${indicator} to be the defaultResource. Create the resource first, or give the indicator of one that there is.`
      : `The API ${indicator} is disabled, so no token is given for it. Enable the resource first, or give another defaultResource.`,
  )
}
