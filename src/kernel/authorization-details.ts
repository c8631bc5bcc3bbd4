/** One member of `authorization_details` (RFC 9396 §2). */
export interface AuthorizationDetail {
  readonly type: string
  readonly [member: string]: unknown
}

/** Whether both say the same; the order of members does not count, that of a list does. */
const sameDetail = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

/** Those of `some` that are among `all`. */
export const detailsAmong = (
  some: readonly AuthorizationDetail[],
  all: readonly AuthorizationDetail[],
): readonly AuthorizationDetail[] => {
  const known = new Set(all.map(canonical))
  return some.filter((detail) => known.has(canonical(detail)))
}

/** Each once. */
export const distinctDetails = (all: readonly AuthorizationDetail[]): readonly AuthorizationDetail[] => [
  ...new Map(all.map((detail) => [canonical(detail), detail])).values(),
]

/**
 * Whether `asked` is `given` or less of it (RFC 9396 §6.1): the same members with the same values, but that a list may
 * hold fewer.
 */
export function isWithin(asked: AuthorizationDetail, given: AuthorizationDetail): boolean {
  const names = Object.keys(given)
  if (Object.keys(asked).length !== names.length) return false
  return names.every((name) => Object.hasOwn(asked, name) && isPart(asked[name], given[name]))
}

function isPart(asked: unknown, given: unknown): boolean {
  if (!Array.isArray(asked) || !Array.isArray(given)) return sameDetail(asked, given)
  const all = new Set(given.map(canonical))
  return asked.length > 0 && asked.every((each) => all.has(canonical(each)))
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`
}
