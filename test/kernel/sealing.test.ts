import { describe, expect, it } from 'vitest'
import { openSealing } from '../../src/kernel/sealing.ts'

const sealing = openSealing(Buffer.alloc(32, 7))
const row = 'signing_key:k1:sealed_jwk'

describe('sealing', () => {
  it.each(['', 'a secret', 'ünïcödé \u{1f511}', 'x'.repeat(100_000)])(
    'gives back what it sealed, and only then',
    (value) => {
      const sealed = sealing.seal(value, row)
      expect(sealing.open(sealed, row)).toBe(value)
      if (value !== '') expect(sealed).not.toContain(value)
      expect(sealed).toMatch(/^v1\.[\w-]+$/)
    },
  )

  it('never seals alike', () => {
    expect(new Set(Array.from({ length: 100 }, () => sealing.seal('the same', row))).size).toBe(100)
  })

  it.each([
    'signing_key:k2:sealed_jwk',
    'signing_key:k1:public_jwk',
    'server_secret:k1:sealed_jwk',
    '',
    `${row} `,
  ])('does not open in the row %s', (other) => {
    expect(() => sealing.open(sealing.seal('a secret', row), other)).toThrow(
      expect.objectContaining({ code: 'sealing.unreadable' }),
    )
  })

  it('does not open with another key', () => {
    const sealed = sealing.seal('a secret', row)
    for (const other of [Buffer.alloc(32, 8), Buffer.alloc(32)]) {
      expect(() => openSealing(other).open(sealed, row)).toThrow(
        expect.objectContaining({
          code: 'sealing.unreadable',
          message: expect.stringContaining('master key'),
        }),
      )
    }
    expect(openSealing(Buffer.alloc(32, 7)).open(sealed, row)).toBe('a secret')
  })

  it('does not open when any byte of it was changed, or it was cut or prolonged anywhere', () => {
    const sealed = sealing.seal('a secret', row)
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    const refuses = (changed: Buffer): void => {
      expect(() => sealing.open(`v1.${changed.toString('base64url')}`, row), changed.toString('hex')).toThrow(
        expect.objectContaining({ code: 'sealing.unreadable' }),
      )
    }
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes)
      changed[index] = (changed[index] ?? 0) ^ 1
      refuses(changed)
      refuses(bytes.subarray(0, index))
      refuses(bytes.subarray(index + 1))
    }
    refuses(Buffer.concat([bytes, Buffer.from([0])]))
    refuses(Buffer.concat([Buffer.from([0]), bytes]))
  })

  it.each(['', 'v1', 'v1.', 'v2.AAAA', 'v1.AAAA', 'plain text', '.', `v1.${'A'.repeat(38)}`, 'v1.!!!!'])(
    'does not open %j',
    (text) => {
      expect(() => sealing.open(text, row)).toThrow(
        expect.objectContaining({ code: 'sealing.unreadable', status: 500 }),
      )
    },
  )

  it('does not name what it sealed when it fails', () => {
    const error = (() => {
      try {
        return sealing.open(sealing.seal('the secret itself', row), 'elsewhere')
      } catch (caught) {
        return caught
      }
    })()
    expect(String(error)).not.toContain('the secret itself')
  })

  it('derives a key for each purpose, always the same', () => {
    const keys = ['csrf', 'sealing', 'cookies', ''].map((purpose) => sealing.derive(purpose).toString('hex'))
    expect(new Set(keys).size).toBe(4)
    expect(sealing.derive('csrf').length).toBe(32)
    expect(openSealing(Buffer.alloc(32, 7)).derive('csrf').equals(sealing.derive('csrf'))).toBe(true)
    expect(openSealing(Buffer.alloc(32, 8)).derive('csrf').equals(sealing.derive('csrf'))).toBe(false)
  })

  it.each([0, 16, 31, 33, 64])('takes no key of %i bytes', (length) => {
    expect(() => openSealing(Buffer.alloc(length))).toThrow(
      expect.objectContaining({ code: 'sealing.bad_key' }),
    )
  })
})
