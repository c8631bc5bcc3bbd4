import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { brandStylesheet, contrast, parseColour } from '../../src/pages/brand.ts'

describe('colours', () => {
  const css = readFileSync(join(import.meta.dirname, '../../views/assets/latchkey.css'), 'utf8')
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)')

  it.each([
    ['light', light],
    ['dark', dark.slice(0, dark.indexOf('\n}\n'))],
  ])('are readable in %s (WCAG 2.2: 1.4.3, 1.4.11)', (_, text) => {
    const of = (token: string) => parseColour(new RegExp(`--${token}: (#[0-9a-f]{6});`).exec(text)?.[1] ?? '')
    for (const background of ['canvas', 'raised', 'sunken']) {
      for (const token of ['ink', 'muted', 'danger', 'caution'])
        expect(contrast(of(token), of(background))).toBeGreaterThanOrEqual(4.5)
    }
    expect(contrast(of('danger'), of('danger-surface'))).toBeGreaterThanOrEqual(4.5)
    expect(contrast(of('field-line'), of('raised'))).toBeGreaterThanOrEqual(3)
  })

  it.each(['#0f6b5c', '#000000', '#ffffff', '#ffe600', '#7f7f7f', '#ff2020', '#0000ff'])(
    'of a brand become readable: %s',
    (accent) => {
      const [light = '', dark = ''] = brandStylesheet({ name: 'x', accent }).split('@media')
      for (const [text, background] of [
        [light, '#f4f6f5'],
        [dark, '#1f2422'],
      ] as const) {
        const of = (token: string) =>
          parseColour(new RegExp(`--${token}:(#[0-9a-f]{6})`).exec(text)?.[1] ?? '')
        expect(contrast(of('accent-text'), parseColour(background))).toBeGreaterThanOrEqual(4.5)
        expect(contrast(of('accent'), parseColour(background))).toBeGreaterThanOrEqual(3)
        for (const fill of ['accent', 'accent-hover'])
          expect(contrast(of('on-accent'), of(fill))).toBeGreaterThanOrEqual(4.5)
      }
    },
  )

  it.each(['red', '#fff', '#0f6b5c;}body{display:none', ''])(
    'of a brand are refused in another form: %s',
    (accent) => {
      expect(() => brandStylesheet({ name: 'x', accent })).toThrow('#rrggbb')
    },
  )
})
