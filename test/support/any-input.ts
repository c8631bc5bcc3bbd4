/** Input as nobody would think of it, for properties that hold for any. */
import fc from 'fast-check'

/** Names and texts that mean something to the protocol, to the language, or to a database. */
export const telling = fc.constantFrom(
  ...[
    'openid',
    'none',
    'client_id',
    'redirect_uris',
    'https://app.example.test/callback',
    'javascript:alert(1)',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'true', '-1', '1e999'],
  ...['', ' ', '\u0000', '\n', '\r\n', '\ud800', '\u202e', '%00', '%', '..', '*', "'", '"', '\\', '<'],
)

export const text = fc.oneof(
  telling,
  fc.string({ maxLength: 60, unit: 'binary' }),
  fc.string({ maxLength: 60 }),
)

/** JSON of any shape, up to a few levels deep. */
export const json: fc.Arbitrary<unknown> = fc.letrec((again) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER),
    fc.array(again('value'), { maxLength: 4 }),
    fc.dictionary(text, again('value'), { maxKeys: 4 }),
  ),
})).value

/** Of a text, one that differs from it by little. */
export const mutationOf = (original: string): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc
        .tuple(fc.nat(original.length), fc.nat(3), text)
        .map(([at, taken, put]) => original.slice(0, at) + put + original.slice(at + taken)),
      fc.nat(original.length - 1).map((at) => {
        const letter = original[at] ?? ''
        const other = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()
        return original.slice(0, at) + other + original.slice(at + 1)
      }),
      fc.nat(original.length - 1).map((at) => {
        const code = original.charCodeAt(at).toString(16).padStart(2, '0')
        return `${original.slice(0, at)}%${code}${original.slice(at + 1)}`
      }),
      fc
        .constantFrom('/', '?', '#', '/.', '/..', '/../callback', ';', '\\', '%00', '\u0000', '?x=1', '#x')
        .map((end) => original + end),
      fc
        .constantFrom('user@', 'app.example.test@', 'evil.test/', 'evil.test\\@', 'www.', '.')
        .map((put) => original.replace('://', `://${put}`)),
      text,
    )
    .filter((mutated) => mutated !== original)
