import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import type { Clock } from '../../kernel/clock.ts'
import type { Text, TextParams } from '../../kernel/text.ts'
import { ownCookie } from '../own-cookie.ts'

const lifetimeSeconds = 600
const longestCookie = 3_000

/** A word about what happened, told by the next page that is shown to the same person in the same browser. */
export interface Notices {
  leave(ctx: Context, userId: string, text: Text): void
  /** What was left for the person, once. */
  take(ctx: Context, userId: string): Text | undefined
}

export interface NoticeDependencies {
  readonly issuer: URL
  readonly key: Buffer
  readonly clock: Clock
}

interface Left {
  readonly userId: string
  readonly at: number
  readonly key: string
  readonly params: Readonly<Record<string, string | number | { readonly at: string }>>
}

/**
 * In a cookie with an HMAC, so that nobody can put words into our mouth, and bound to the person, so that nobody reads of
 * what another one did before him.
 */
export function openNotices({ issuer, key, clock }: NoticeDependencies): Notices {
  const cookie = ownCookie(issuer, 'notice')
  const seal = (payload: string): string =>
    createHmac('sha256', key).update(`notice.${payload}`).digest('base64url')

  return {
    leave(ctx, userId, text) {
      const left: Left = { userId, at: clock.now().getTime(), key: text.key, params: written(text.params) }
      const payload = Buffer.from(JSON.stringify(left)).toString('base64url')
      if (payload.length > longestCookie) return
      cookie.write(ctx, `${payload}.${seal(payload)}`, { seconds: lifetimeSeconds })
    },

    take(ctx, userId) {
      const value = cookie.read(ctx)
      if (value === undefined) return undefined
      cookie.forget(ctx)
      const [payload = '', mac = ''] = value.split('.')
      if (!equal(mac, seal(payload))) return undefined
      const left = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Left
      if (left.userId !== userId || left.at + lifetimeSeconds * 1000 < clock.now().getTime()) return undefined
      return { key: left.key, params: read(left.params) }
    },
  }
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const written = (params: TextParams = {}): Left['params'] =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      value instanceof Date ? { at: value.toISOString() } : value,
    ]),
  )

const read = (params: Left['params']): TextParams =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'object' ? new Date(value.at) : value,
    ]),
  )
