import type { CodeProblem, DevicePages } from '../../provider/index.ts'
import type { Text } from '../models.ts'
import type { Pages } from '../page.ts'

export const devicePath = '/device'

const length = 8
const longestShown = 40
const problems: Readonly<Record<Exclude<CodeProblem, 'too_many'>, Text>> = {
  missing: { key: 'problem.device.missing' },
  unknown: { key: 'problem.device.unknown' },
  expired: { key: 'problem.device.expired' },
  used: { key: 'problem.device.used' },
  stale: { key: 'problem.device.stale' },
}

/** What the protocol shows of a device in the middle of its own flow. */
export const devicePages = (pages: Pages): DevicePages => ({
  enter(ctx, { problem, code, minutes = 1 }) {
    ctx.set('Cache-Control', 'no-store')
    const error: Text =
      problem === 'too_many' ? { key: 'problem.device.too_many', params: { minutes } } : problems[problem]
    return pages.html(ctx, 'device/code', { action: devicePath, code: written(code), asks: false, error })
  },
  approved: (ctx, { client }) => pages.html(ctx, 'device/approved', { ...(client && { client }) }),
  denied: (ctx, { client }) => pages.html(ctx, 'device/denied', { ...(client && { client }) }),
})

/** A code as devices show it, however it was typed; other text stays recognisable. */
export function written(typed: unknown): string {
  if (typeof typed !== 'string') return ''
  const letters = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return letters.length === length
    ? `${letters.slice(0, length / 2)}-${letters.slice(length / 2)}`
    : letters.slice(0, longestShown)
}

/** Whether it has the form of a code (RFC 8628 §6.1: letters that make no words). */
export const isUserCode = (code: string): boolean =>
  /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/.test(code)
