import { z } from 'zod'

// RFC 5321 §4.5.3.1: 64 characters before the @, 254 in all.
const syntax = z.email().max(254)
const maximumLocalPart = 64

/**
 * The text if it is exactly one address and nothing else: no display name, no second address, no line break, nothing but
 * ASCII. Whatever else is `undefined`.
 */
export function oneAddress(text: string): string | undefined {
  if (!syntax.safeParse(text).success || text.indexOf('@') > maximumLocalPart) return undefined
  return text
}

/** Under which mails to a box are counted: however it is written, and whatever tag follows a plus. */
export function canonicalBox(address: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at).toLowerCase()
  const [box = ''] = local.split('+')
  return `${box || local}@${address.slice(at + 1).toLowerCase()}`
}
