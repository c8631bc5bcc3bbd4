/** DER (X.690 §10), as far as the names in a certificate need it. Everything here throws for what is not DER. */

export interface DerElement {
  readonly tag: number
  readonly body: Buffer
  /** With tag and length. */
  readonly whole: Buffer
}

/** The elements that stand one after the other in `bytes`. */
export function derElements(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at)
    elements.push(element)
    at += element.whole.length
  }
  return elements
}

/** The only element of `bytes`. */
export function derElement(bytes: Buffer): DerElement {
  const element = elementAt(bytes, 0)
  if (element.whole.length !== bytes.length) throw new RangeError('more than one element')
  return element
}

function elementAt(bytes: Buffer, at: number): DerElement {
  const tag = bytes.readUInt8(at)
  const first = bytes.readUInt8(at + 1)
  const octets = first < 0x80 ? 0 : first - 0x80
  if ((tag & 0x1f) === 0x1f || octets > 4 || first === 0x80) throw new RangeError('not a DER element')
  const length = octets === 0 ? first : bytes.readUIntBE(at + 2, octets)
  const start = at + 2 + octets
  if (start + length > bytes.length) throw new RangeError('a DER element is cut off')
  return { tag, body: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) }
}

/** An object identifier as `2.5.4.3`. */
export function derOid(body: Buffer): string {
  const arcs: bigint[] = []
  let arc = 0n
  for (const byte of body) {
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const [head = 0n, ...rest] = arcs
  const root = head < 80n ? head / 40n : 2n
  return [root, head - root * 40n, ...rest].join('.')
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text of a string element; `undefined` for an element that is none (X.520 DirectoryString, IA5String). */
export function derText({ tag, body }: DerElement): string | undefined {
  if (tag === 0x0c) return utf8.decode(body)
  if (tag === 0x12 || tag === 0x13 || tag === 0x14 || tag === 0x16) return body.toString('latin1')
  if (tag === 0x1e && body.length % 2 === 0) return Buffer.from(body).swap16().toString('utf16le')
  return undefined
}
