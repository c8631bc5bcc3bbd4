import { derElement, derText } from './der.ts'

/** One attribute of a name: its type as an object identifier, and its value. */
export interface NameAttribute {
  readonly type: string
  readonly value: string
}

/** A name from its most specific part to its root, as RFC 4514 writes it; a part may have several attributes. */
export type DistinguishedName = readonly (readonly NameAttribute[])[]

/** RFC 4514 §3, and what certificates of banks and authorities have besides. */
const types: Readonly<Record<string, string>> = {
  cn: '2.5.4.3',
  sn: '2.5.4.4',
  serialnumber: '2.5.4.5',
  c: '2.5.4.6',
  l: '2.5.4.7',
  st: '2.5.4.8',
  street: '2.5.4.9',
  o: '2.5.4.10',
  ou: '2.5.4.11',
  title: '2.5.4.12',
  businesscategory: '2.5.4.15',
  postalcode: '2.5.4.17',
  gn: '2.5.4.42',
  givenname: '2.5.4.42',
  organizationidentifier: '2.5.4.97',
  uid: '0.9.2342.19200300.100.1.1',
  dc: '0.9.2342.19200300.100.1.25',
  emailaddress: '1.2.840.113549.1.9.1',
  jurisdictionl: '1.3.6.1.4.1.311.60.2.1.1',
  jurisdictionst: '1.3.6.1.4.1.311.60.2.1.2',
  jurisdictionc: '1.3.6.1.4.1.311.60.2.1.3',
}

/** Reads a name as RFC 4514 writes it. `undefined` for what is none, or has a type that is not known by its name. */
export function parseDistinguishedName(text: string): DistinguishedName | undefined {
  try {
    return split(text, ',').map((part) => split(part, '+').map(attribute))
  } catch {
    return undefined
  }
}

/** Whether two names are the same, whatever their spelling (RFC 5280 §7.1). */
export const isSameName = (one: DistinguishedName, other: DistinguishedName): boolean =>
  canonical(one) === canonical(other)

const canonical = (name: DistinguishedName): string =>
  JSON.stringify(name.map((part) => part.map(({ type, value }) => `${type}=${folded(value)}`).toSorted()))

const folded = (value: string): string => value.normalize('NFKC').toLowerCase().trim().replaceAll(/\s+/g, ' ')

/** At every separator that is not escaped. */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = ['']
  for (const [token] of text.matchAll(/\\[\s\S]|[\s\S]/g)) {
    if (token === separator) parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts
}

function attribute(text: string): NameAttribute {
  const { name = '', written = '' } =
    /^\s*(?:OID\.)?(?<name>[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=(?<written>[\s\S]*)$/i.exec(text)
      ?.groups ?? {}
  const type = /^\d/.test(name) ? name : types[name.toLowerCase()]
  if (type === undefined) throw new SyntaxError(`${name} is not a type of attribute`)
  // The space around a value is not of it, unless it is escaped.
  const value = written.replace(/^ +/, '').replace(/((?:^|[^\\])(?:\\\\)*) +$/, '$1')
  return { type, value: value.startsWith('#') ? encodedValue(value.slice(1)) : plainValue(value) }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const escaped = /^\\(?:(?<hex>[0-9A-Fa-f]{2})|(?<special>[ "#+,;<=>\\]))$/

function plainValue(written: string): string {
  if (written === '') throw new SyntaxError('a value is empty')
  const bytes = [...written.matchAll(/\\(?:[0-9A-Fa-f]{2}|[\s\S])|[^\\"+,;<>\0]|[\s\S]/gu)].map(([token]) => {
    if (!token.startsWith('\\') && !/^["+,;<>\0]$/.test(token)) return Buffer.from(token)
    const { hex, special } = escaped.exec(token)?.groups ?? {}
    if (hex !== undefined) return Buffer.from(hex, 'hex')
    if (special === undefined) throw new SyntaxError(`${token} must be escaped`)
    return Buffer.from(special)
  })
  return utf8.decode(Buffer.concat(bytes))
}

/** RFC 4514 §2.4: `#` and the DER of the value in hexadecimal. */
function encodedValue(hex: string): string {
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(hex)) throw new SyntaxError('a value is not hexadecimal')
  const bytes = Buffer.from(hex, 'hex')
  return derText(derElement(bytes)) ?? `#${bytes.toString('hex')}`
}
