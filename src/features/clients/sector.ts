import { z } from 'zod'
import { AppError, invalidInput } from '../../kernel/errors.ts'
import type { ClientDraft } from './client.ts'

/** Reaches other servers, but none that is private; no redirects, a few seconds, a small answer. */
export type GuardedFetch = (url: string, init?: RequestInit) => Promise<Response>

const document = z.array(z.string()).max(1_000)
const withoutBrowser = ['urn:ietf:params:oauth:grant-type:device_code', 'urn:openid:params:grant-type:ciba']

/** What has to stand in the document of its sector (OpenID Connect Core 1.0 §8.1; CIBA Core 1.0 §4). */
function listed({ redirectUris, grantTypes, jwksUri }: ClientDraft): readonly string[] {
  const alone = withoutBrowser.some((grant) => (grantTypes as readonly string[]).includes(grant))
  return alone && jwksUri !== undefined ? [...redirectUris, jwksUri] : redirectUris
}

/** What is proven of a client, to be compared; `undefined` where it names no sector. */
export const sectorOf = (draft: ClientDraft): string | undefined =>
  draft.sectorIdentifierUri && JSON.stringify([draft.sectorIdentifierUri, ...listed(draft)])

/**
 * Asks the sector whether the client belongs to it, where that is not known from `before`. Throws
 * `clients.sector_unproven` with what to do.
 */
export async function proveSector(
  fetch: GuardedFetch,
  draft: ClientDraft,
  before?: ClientDraft,
): Promise<string | undefined> {
  const { sectorIdentifierUri: uri } = draft
  const sector = sectorOf(draft)
  if (uri === undefined || (before !== undefined && sector === sectorOf(before))) return sector
  const uris = await read(fetch, uri)
  const missing = listed(draft).find((each) => !uris.includes(each))
  if (missing !== undefined) throw unproven(`${uri} does not list ${missing}. Add it there, and try again.`)
  return sector
}

async function read(fetch: GuardedFetch, uri: string): Promise<readonly string[]> {
  try {
    const response = await fetch(uri, { headers: { accept: 'application/json' } })
    if (response.status !== 200) throw new Error(`status ${response.status}`)
    return document.parse(await response.json())
  } catch (cause) {
    throw unproven(
      `${uri} gave no JSON array of addresses. It must answer with one that lists the redirect URIs.`,
      cause,
    )
  }
}

const unproven = (message: string, cause?: unknown): AppError =>
  invalidInput('clients.sector_unproven', message, { cause })

/** Whether it knows people by other identifiers than before, so that what it holds of them is no longer theirs. */
export function knowsOtherwise(before: ClientDraft, now: ClientDraft): boolean {
  const knows = ({ subjectType, sectorIdentifierUri, redirectUris }: ClientDraft): string =>
    subjectType === 'pairwise' ? (URL.parse(sectorIdentifierUri ?? redirectUris[0] ?? '')?.host ?? '') : 'all'
  return knows(before) !== knows(now)
}

/** Somebody changed the client while its sector was asked. */
export const changedMeanwhile = (): AppError =>
  new AppError('clients.changed_meanwhile', 409, 'The client was changed by somebody else. Try again.')
