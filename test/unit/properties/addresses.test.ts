/** No spelling of an address gets past the guard of what the server fetches: held against a reckoning with whole numbers. */
import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSpecialAddress, openOutbound } from '../../../src/provider/outbound.ts'
import { text } from '../../support/any-input.ts'

/** The first address of a block, as a number, and its length. */
type Block = readonly [first: bigint, prefix: number]

const ipv4 = (dotted: string): bigint =>
  dotted.split('.').reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)
/** From the groups in front; the others are zero. */
const ipv6 = (...groups: readonly number[]): bigint =>
  Array.from({ length: 8 }, (_, index) => groups[index] ?? 0).reduce(
    (value, group) => (value << 16n) | BigInt(group),
    0n,
  )

/** IANA's registry of special-purpose addresses, and what is for groups or for nobody. */
const specialIpv4: readonly Block[] = (
  [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.31.196.0', 24],
    ['192.52.193.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['192.175.48.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const
).map(([first, prefix]) => [ipv4(first), prefix])

const globalUnicast: Block = [ipv6(0x2000), 3]
const translated: Block = [ipv6(0x64, 0xff9b), 96]
const specialUnicast: readonly Block[] = [
  [ipv6(0x2001), 23],
  [ipv6(0x2001, 0xdb8), 32],
  [ipv6(0x2002), 16],
  [ipv6(0x2620, 0x4f, 0x8000), 48],
  [ipv6(0x3fff), 20],
]
/** Refused as all outside of 2000::/3 is; chosen more often than chance would. */
const elsewhere: readonly Block[] = [
  [0n, 96],
  [ipv6(0, 0, 0, 0, 0, 0xffff), 96],
  [ipv6(0, 0, 0, 0, 0xffff), 96],
  [ipv6(0x64, 0xff9b, 1), 48],
  [ipv6(0x100), 64],
  [ipv6(0x100, 0, 0, 1), 64],
  [ipv6(0x4000), 2],
  [ipv6(0x5f00), 16],
  [ipv6(0xfc00), 7],
  [ipv6(0xfe80), 10],
  [ipv6(0xfec0), 10],
  [ipv6(0xff00), 8],
]

const within = (value: bigint, [first, prefix]: Block, bits: number): boolean =>
  value >> BigInt(bits - prefix) === first >> BigInt(bits - prefix)

const isSpecialIpv4 = (value: bigint): boolean => specialIpv4.some((block) => within(value, block, 32))
const isSpecialIpv6 = (value: bigint): boolean =>
  within(value, translated, 128)
    ? isSpecialIpv4(value & 0xffff_ffffn)
    : !within(value, globalUnicast, 128) || specialUnicast.some((block) => within(value, block, 128))

/** Any address; those in a block of the list, and next to one, more often than chance would choose them. */
const addresses = (blocks: readonly Block[], bits: number): fc.Arbitrary<bigint> => {
  const largest = (1n << BigInt(bits)) - 1n
  const inBlock = fc.constantFrom(...blocks).chain(([first, prefix]) => {
    const size = 1n << BigInt(bits - prefix)
    const last = first + size - 1n
    const edges = [first, last, ...(first > 0n ? [first - 1n] : []), ...(last < largest ? [last + 1n] : [])]
    return fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: first, max: last }))
  })
  return fc.oneof(inBlock, fc.bigInt({ min: 0n, max: largest }))
}

const anyIpv4 = addresses(specialIpv4, 32)
/** Among them those that hold an address of IPv4 at their end. */
const anyIpv6 = fc.oneof(
  addresses([...specialUnicast, ...elsewhere, translated, globalUnicast], 128),
  fc
    .tuple(fc.constantFrom<Block>(translated, ...elsewhere.slice(0, 4)), anyIpv4)
    .map(([[first], low]) => first | low),
)

const octets = (value: bigint): readonly number[] =>
  [24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 0xffn))
const dotted = (value: bigint): string => octets(value).join('.')

/** RFC 4291 §2.2, RFC 5952 §2: zeros in front, either case, `::` for any run of zeros, the end as an address of IPv4. */
const spellingsOfIpv6 = (value: bigint): fc.Arbitrary<string> =>
  fc
    .record({
      padded: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      upper: fc.boolean(),
      endsDotted: fc.boolean(),
      from: fc.nat(7),
      length: fc.integer({ min: 0, max: 8 }),
    })
    .map(({ padded, upper, endsDotted, from, length }) => {
      const groups = Array.from({ length: 8 }, (_, index) =>
        Number((value >> BigInt(16 * (7 - index))) & 0xffffn),
      )
      const words = groups.map((group, index) => group.toString(16).padStart(padded[index] ? 4 : 1, '0'))
      const parts = endsDotted ? [...words.slice(0, 6), dotted(value & 0xffff_ffffn)] : words
      const run = Math.min(length, (endsDotted ? 6 : 8) - from)
      const isZero = run > 0 && groups.slice(from, from + run).every((group) => group === 0)
      const spelling = isZero
        ? `${parts.slice(0, from).join(':')}::${parts.slice(from + run).join(':')}`
        : parts.join(':')
      return upper ? spelling.toUpperCase() : spelling
    })

const bases: readonly ((part: bigint) => string)[] = [
  (part) => part.toString(),
  (part) => `0x${part.toString(16)}`,
  (part) => `0X${part.toString(16).toUpperCase().padStart(4, '0')}`,
  (part) => `0${part.toString(8)}`,
  (part) => `000${part.toString(8)}`,
]
const scripts: readonly ((digits: string) => string)[] = [
  (spelling) => spelling,
  (spelling) => `${spelling}.`,
  (spelling) => spelling.replaceAll('.', '。'),
  (spelling) => spelling.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (spelling) => spelling.replaceAll(/\d/g, (digit) => `%3${digit}`),
]

/** What a URL may say for an address of IPv4 (WHATWG URL §3.5): fewer parts, other bases, other digits and dots. */
const spellingsOfIpv4 = (value: bigint): fc.Arbitrary<string> =>
  fc
    .record({
      parts: fc.integer({ min: 1, max: 4 }),
      base: fc.array(fc.constantFrom(...bases), { minLength: 4, maxLength: 4 }),
      script: fc.constantFrom(...scripts),
    })
    .map(({ parts, base, script }) => {
      const leading = octets(value)
        .slice(0, parts - 1)
        .map(BigInt)
      const rest = value & ((1n << BigInt(8 * (5 - parts))) - 1n)
      return script([...leading, rest].map((part, index) => base[index]?.(part) ?? '').join('.'))
    })

const spelled = (
  address: fc.Arbitrary<bigint>,
  spelling: (value: bigint) => fc.Arbitrary<string>,
): fc.Arbitrary<readonly [value: bigint, spelling: string]> =>
  address.chain((value) => spelling(value).map((each) => [value, each] as const))

const runs = { numRuns: 3_000 }

describe('an address is special by its value', () => {
  it('in IPv4', () => {
    const holds = fc.property(anyIpv4, (value) => {
      expect(isSpecialAddress(dotted(value))).toBe(isSpecialIpv4(value))
    })
    fc.assert(holds, runs)
  })

  it('in IPv6, however it is spelled', () => {
    const holds = fc.property(spelled(anyIpv6, spellingsOfIpv6), ([value, spelling]) => {
      expect(isIP(spelling)).toBe(6)
      expect(isSpecialAddress(spelling)).toBe(isSpecialIpv6(value))
    })
    fc.assert(holds, runs)
  })

  it('and in any zone of a machine', () => {
    const zone = fc.constantFrom('eth0', '1', 'br-lan', 'eth0.100', 'a b', '%')
    const holds = fc.property(spelled(anyIpv6, spellingsOfIpv6), zone, ([, spelling], name) => {
      expect(isSpecialAddress(`${spelling}%${name}`)).toBe(true)
    })
    fc.assert(holds)
  })

  it('and whatever is no address is refused like one', () => {
    const changed = fc
      .tuple(spelled(anyIpv6, spellingsOfIpv6), fc.nat(40), text)
      .map(([[, spelling], at, more]) => `${spelling.slice(0, at)}${more}${spelling.slice(at)}`)
    const holds = fc.property(fc.oneof(text, changed), (given) => {
      if (isIP(given) === 0) expect(isSpecialAddress(given)).toBe(true)
      else expect(typeof isSpecialAddress(given)).toBe('boolean')
    })
    fc.assert(holds, runs)
  })
})

describe('a URL of a special address is refused before anything is asked', () => {
  const { fetch } = openOutbound({ allowPrivate: false, allowHosts: [] })
  const refused = async (url: string): Promise<void> => {
    await expect(fetch(url)).rejects.toMatchObject({ code: 'outbound.special_address' })
  }

  it('in IPv4, with any parts, bases, digits and dots', async () => {
    const special = spelled(anyIpv4.filter(isSpecialIpv4), spellingsOfIpv4)
    const holds = fc.asyncProperty(special, async ([value, spelling]) => {
      const url = `https://${spelling}:1/`
      expect(new URL(url).hostname).toBe(dotted(value))
      await refused(url)
    })
    await fc.assert(holds, runs)
  })

  it('in IPv6', async () => {
    const special = spelled(anyIpv6.filter(isSpecialIpv6), spellingsOfIpv6)
    const holds = fc.asyncProperty(special, ([, spelling]) => refused(`https://[${spelling}]:1/`))
    await fc.assert(holds, runs)
  })
})
