import { z } from 'zod'
import { hasPlainHost } from './origins.ts'

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])
const uriLength = 2_048

/** Control characters, line separators and what turns the direction of writing around it. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** One line of text that people get to read: trimmed, NFC, without control characters. */
export const displayText = (maximum: number): z.ZodType<string> =>
  z
    .string()
    .transform((text) => text.normalize('NFC').trim())
    .pipe(
      z
        .string()
        .min(1, 'must not be empty')
        .max(maximum, `must have at most ${maximum} characters`)
        .refine((text) => !unprintable.test(text), 'must be one line of printable characters'),
    )

/** A scope-token of RFC 6749 §3.3. */
export const scopeToken = z
  .string()
  .max(128, 'must have at most 128 characters')
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope: printable ASCII without space, " and \\')

/** An absolute URI (RFC 3986 §4.3, a fragment aside) as it is written; whatever a parser would mend is refused. */
export const absoluteUri = z
  .string()
  .max(uriLength, `must have at most ${uriLength} characters`)
  .regex(
    /^[a-z][a-z0-9+.-]*:[\w.~:/?#[\]@!$&'()*+,;=%-]+$/,
    'must be an absolute URI, its scheme in lower case',
  )
  .refine((text) => URL.canParse(text), 'must be an absolute URI')
  .refine(
    (text) => !/^https?:/.test(text) || hasPlainHost(text),
    'must have a host of letters, digits, dots and dashes',
  )

/** Whether the text names a host without a user name or password before it. */
export const hasNoUserinfo = (text: string): boolean => !/^[a-z][a-z0-9+.-]*:\/*[^/?#]*@/.test(text)

export const isHttps = (text: string): boolean => text.startsWith('https://') && hasNoUserinfo(text)

/** Plain http that never leaves the machine. */
export const isLoopbackHttp = (text: string): boolean => {
  const url = URL.parse(text)
  return text.startsWith('http://') && url !== null && loopbackHosts.has(url.hostname) && hasNoUserinfo(text)
}

/** An address on the web that people are led to or that is shown to them: https only. */
export const httpsUri = absoluteUri.refine(isHttps, 'must begin with https:// and have no user name')

/** A list without repetitions. */
export const distinct = <T>(item: z.ZodType<T>, maximum: number): z.ZodType<readonly T[]> =>
  z
    .array(item)
    .max(maximum, `must have at most ${maximum} entries`)
    .refine((items) => new Set(items).size === items.length, 'must not name the same twice')

/** What names a person on the command line. */
export const personKey = {
  schema: z.string().trim().min(1).max(320),
  documentation: 'The person, by identifier, e-mail address or user name.',
}

/** The same instant as `toISOString` gives. */
export const instant = z.iso.datetime()
