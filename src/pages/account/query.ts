import type { Context } from 'koa'
import { AppError } from '../../kernel/errors.ts'

export type Query = Readonly<Record<string, string>>

/** The parameters of an address. Throws 400 where one is given twice. */
export function queryOf(ctx: Context): Query {
  const query: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(ctx.query)) {
    if (typeof value !== 'string')
      throw new AppError(
        'host.repeated_parameter',
        400,
        `The parameter ${name.slice(0, 40)} was given twice.`,
      )
    query[name] = value
  }
  return query
}

/** What a sign-in adds to the address that it leads back to, and what was added for it. */
const traces = ['iss', 'error', 'error_description', 'error_uri', 'state', 'for']

export const hasTraces = (query: Query): boolean => traces.some((name) => name in query)

export const withoutTraces = (query: Query): Query =>
  Object.fromEntries(Object.entries(query).filter(([name]) => !traces.includes(name)))

export function urlOf(path: string, query: Query): string {
  const search = new URLSearchParams({ ...query }).toString()
  return search === '' ? path : `${path}?${search}`
}
