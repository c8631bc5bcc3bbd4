import { create } from 'qrcode'
import { describe, expect, it } from 'vitest'
import { qrPicture } from '../../src/features/totp/qr.ts'

/** The dark squares that a stroke of width 1 along a path draws, as `x,y`. */
function squaresOf(path: string): Set<string> {
  const squares = new Set<string>()
  let [x, y] = [0, 0]
  for (const [, letter, first, second] of path.matchAll(/([Mmh])(\d+)(?: (\d+(?:\.5)?))?/g)) {
    const distance = Number(first)
    if (letter === 'h')
      for (let step = 0; step < distance; step += 1) squares.add(`${x + step},${Math.floor(y)}`)
    if (letter === 'M') y = Number(second)
    x = letter === 'M' ? distance : x + distance
  }
  return squares
}

describe('the picture of a key', () => {
  it.each([
    ['a short address', 'otpauth://totp/a:b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=a'],
    ['a long address', `otpauth://totp/${'%E5%90%8D'.repeat(160)}?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP`],
  ])('draws every square of the code for %s, with four squares around it', async (_, text) => {
    const { modules } = create(text, { errorCorrectionLevel: 'M' })
    const { size, path } = await qrPicture(text)
    expect(size).toBe(modules.size + 8)
    const expected = new Set<string>()
    for (let y = 0; y < modules.size; y += 1)
      for (let x = 0; x < modules.size; x += 1) if (modules.get(y, x)) expected.add(`${x + 4},${y + 4}`)
    expect(squaresOf(path)).toEqual(expected)
  })
})
