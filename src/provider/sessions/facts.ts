import type { Context } from 'koa'
import { longestUserAgent, type RequestFacts } from '../../kernel/http.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Payload } from '../artefacts/payload.ts'

/**
 * What is known of a session beside what the library keeps: one more member of its payload, which the library neither
 * reads nor writes. Instants are milliseconds since 1970.
 */
export interface SessionFacts {
  readonly signedInAt: number
  readonly lastUsedAt: number
  /** Of the last use, shortened. */
  readonly userAgent: string
  /** Of the last use, where the operator keeps addresses. */
  readonly address?: string
  /** SHA-256 of the identifier in the browser's device cookie. */
  readonly deviceHash?: string
}

/** The request in which a session is used. */
export interface SessionUse {
  readonly request: RequestFacts | undefined
  readonly device: string | undefined
}

/** What a request tells of the browser; `undefined` where there is none, as in a job. */
export function useOf(
  ctx: Context | undefined,
  { deviceOf }: { readonly deviceOf: (ctx: Context) => string | undefined },
): SessionUse | undefined {
  if (ctx === undefined) return undefined
  return { request: ctx.state.facts as RequestFacts | undefined, device: deviceOf(ctx) }
}

interface Noting {
  readonly use: SessionUse | undefined
  readonly now: Date
  readonly keepAddress: boolean
}

/** The payload with what is known after this use. An anonymous session, in which nobody is signed in, has no facts. */
export function withFacts(
  payload: Payload,
  before: SessionFacts | undefined,
  { use, now, keepAddress }: Noting,
): Payload {
  if (payload.accountId === undefined) return payload
  const at = now.getTime()
  const address = keepAddress ? (use?.request?.address ?? before?.address) : undefined
  const deviceHash = use?.device === undefined ? before?.deviceHash : hashSecret(use.device)
  const facts: SessionFacts = {
    signedInAt: before?.signedInAt ?? at,
    lastUsedAt: at,
    userAgent: (use?.request?.userAgent ?? before?.userAgent ?? '').slice(0, longestUserAgent),
    ...(address !== undefined && { address }),
    ...(deviceHash !== undefined && { deviceHash }),
  }
  return { ...payload, facts }
}

/** What was noted of a session; `undefined` where nobody is signed in in it. */
export const factsOf = (payload: Payload): SessionFacts | undefined =>
  payload.facts as SessionFacts | undefined
