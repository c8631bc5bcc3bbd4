import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openViews, type PageContext } from '../../src/pages/views.ts'
import { type PageSample, pageSamples, renderSample } from '../support/page-samples.ts'

const directory = join(import.meta.dirname, '../../views')
const views = openViews({ directory, brand: { name: 'Latchkey' } })
const page: PageContext = { locale: 'en', nonce: 'bm9uY2U', csrfToken: 'csrf-token' }
const named = pageSamples.map((sample) => [sample.name, sample] as const)

/** Every template by its name; those of mails are not of pages. */
const templates = new Map(
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.eta') && !file.startsWith('mail'))
    .map(
      (file) =>
        [file.slice(0, -4).replaceAll('\\', '/'), readFileSync(join(directory, file), 'utf8')] as const,
    ),
)

describe('every template', () => {
  it.each([...templates])(
    'shows as it is only what is a template itself, or our own drawing: %s',
    (_, text) => {
      const raw = [...text.matchAll(/<%~(.*?)%>/gs)].map(([, expression = '']) => expression.trim())
      expect(raw.filter((expression) => !/^include\(|^(?:mark|it\.body)$/.test(expression))).toEqual([])
    },
  )

  it.each([...templates])('has neither style nor script of its own: %s', (_, text) => {
    expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+="|<script(?![^>]* src="<%= asset\()/)
  })

  it.each([...templates])('puts the token into every form that posts: %s', (_, text) => {
    const forms = text.match(/<form [\s\S]*?<\/form>/g) ?? []
    const without = forms.filter((form) => !form.includes("include('partials/csrf')"))
    expect(without).toEqual([])
  })
})

describe('every page', () => {
  it('has a sample', () => {
    const pages = [...templates].filter(([, text]) => text.includes("layout('layout'")).map(([name]) => name)
    expect(new Set(pageSamples.map(({ template }) => template))).toEqual(new Set(pages))
  })

  it.each(named)('runs under a strict policy: %s', (_, sample) => {
    expectStrict(renderSample(views, page, sample))
  })

  it.each(named)('escapes what it is given: %s', (_, sample) => {
    const hostile = `"><script>alert(1)</script>'><img src=x onerror=alert(1)>\u202e`
    const html = renderSample(
      openViews({ directory, brand: { name: hostile } }),
      { locale: 'de', nonce: hostile, csrfToken: hostile, requestId: hostile },
      poisoned(sample, hostile),
    )
    expectStrict(html)
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(1)')
    expect(html).not.toContain('\u202e')
  })

  it.each(named)('links only to addresses a browser may follow: %s', (_, sample) => {
    for (const address of [
      'javascript:alert(1)',
      'data:text/html,x',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'vbscript:x',
    ]) {
      const links = tagsOf(renderSample(views, page, poisoned(sample, address, foreign))).flatMap(
        // What is in a frame is in a sandbox, and its address is ours.
        ({ name, attributes }) => (name === 'iframe' ? [] : [attributes.get('href'), attributes.get('src')]),
      )
      expect(links).not.toContain(address)
    }
  })

  it.each(named)('ties every label, description and button to what it names: %s', (_, sample) => {
    const tags = tagsOf(renderSample(views, page, sample))
    const ids = tags.flatMap(({ attributes }) => attributes.get('id') ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    for (const name of [
      'for',
      'aria-describedby',
      'aria-labelledby',
      'aria-controls',
      'form',
      'data-reveal',
    ]) {
      const references = tags.flatMap(({ attributes }) => attributes.get(name)?.split(' ') ?? [])
      expect(ids).toEqual(expect.arrayContaining(references))
    }
    const labelled = tags.flatMap(({ attributes }) => attributes.get('for') ?? [])
    const visible = tags.filter(
      ({ name, attributes }) =>
        name === 'input' &&
        !['hidden', 'checkbox'].includes(attributes.get('type') ?? '') &&
        attributes.get('aria-hidden') !== 'true',
    )
    expect(labelled).toEqual(visible.map(({ attributes }) => attributes.get('id')))
  })

  it.each(named)('carries the token in every form: %s', (_, sample) => {
    const html = renderSample(views, page, sample)
    const forms = html.match(/<form [\s\S]*?<\/form>/g) ?? []
    for (const form of forms) expect(form).toMatch(/method="post"[\s\S]*name="_csrf" value="csrf-token"/)
    expect(renderSample(views, { ...page, csrfToken: undefined }, sample)).not.toContain('_csrf')
  })
})

describe('a page', () => {
  it('names its language, and shows English for one without messages', () => {
    expect(show('account-empty', { ...page, locale: 'de' })).toContain('<html lang="de" dir="ltr">')
    expect(show('account-empty', { ...page, locale: '__proto__' })).toContain('<html lang="en" dir="ltr">')
  })

  it('says in its title that something is to be corrected', () => {
    expect(show('sign-in-wrong')).toContain('<title>Error: Sign in to Acme Notes · Latchkey</title>')
    expect(show('sign-in')).toContain('<title>Sign in to Acme Notes · Latchkey</title>')
  })

  it('announces a wrong password and ties it to both fields', () => {
    const html = show('sign-in-wrong')
    expect(html).toContain('role="alert" id="form-error"')
    expect(html.match(/aria-invalid="true" aria-describedby="form-error"/g)).toHaveLength(2)
  })

  it('tells a password manager which password is meant', () => {
    expect(show('sign-in')).toMatch(/name="identifier" type="text" autocomplete="username webauthn"/)
    expect(show('sign-in')).toMatch(/name="password" type="password" autocomplete="current-password"/)
    for (const name of ['setup', 'password'])
      expect(show(name)).toMatch(/name="password" type="password" autocomplete="new-password"/)
  })

  it('fixes the account where it is only confirmed', () => {
    expect(show('sign-in-again')).not.toContain('name="identifier"')
  })

  it('asks nothing and offers one button where the sign-out goes on by itself', () => {
    const html = show('sign-out-continue')
    expect(html.match(/<button/g)).toHaveLength(1)
    expect(html).toMatch(/<form [^>]*data-auto-submit>/)
    expect(show('sign-out')).not.toContain('data-auto-submit')
  })

  it.each([
    [3600, '1 hour'],
    [5400, '90 minutes'],
    [30 * 86_400, '30 days'],
    [1, '1 minute'],
  ])('says %d seconds as %s', (accessForSeconds, words) => {
    const sample = get('consent')
    if (sample.template !== 'login/consent') throw new Error('The sample is another page')
    expect(views.render(page, sample.template, { ...sample.model, accessForSeconds })).toContain(
      `lasts for ${words},`,
    )
  })

  it('fails where a value is missing instead of showing that it is', () => {
    expect(() => views.render(page, 'setup/invalid', { reason: 'used' } as never)).toThrow('missing')
  })

  it('weighs less than 30 KB with everything it loads', () => {
    const html = show('sign-in-wrong')
    const loaded = [...views.assets].filter(([path]) => html.includes(path))
    expect(loaded.length).toBeGreaterThan(2)
    const bytes = loaded.reduce((sum, [, { body }]) => sum + body.length, Buffer.byteLength(html))
    expect(bytes).toBeLessThan(30_000)
  })
})

describe('assets', () => {
  it('are named by their content, so that they never change under a name', () => {
    for (const [path, asset] of views.assets) {
      expect(path).toMatch(/^\/assets\/[a-z-]+\.[0-9a-f]{8}\.(css|js|svg)$/)
      expect(asset.etag).toMatch(/^"[0-9a-f]{32}"$/)
    }
    const other = openViews({ directory, brand: { name: 'Latchkey', accent: '#aa0000' } })
    expect([...other.assets.keys()].filter((path) => !views.assets.has(path))).toEqual([
      expect.stringMatching(/^\/assets\/latchkey\.[0-9a-f]{8}\.css$/),
    ])
  })
})

function get(name: string): PageSample {
  const sample = pageSamples.find((candidate) => candidate.name === name)
  if (sample === undefined) throw new Error(`No sample named ${name}`)
  return sample
}

function show(name: string, context = page): string {
  return renderSample(views, context, get(name))
}

/** Not a path of ours, which the server makes itself. */
const foreign = (value: string): boolean => !value.startsWith('/')

/** The sample with every text replaced, except those that choose a message or a variant. */
function poisoned(sample: PageSample, text: string, which = (_value: string) => true): PageSample {
  const replace = (key: string, value: unknown) =>
    typeof value === 'string' && which(value) && !['key', 'reason', 'template'].includes(key) ? text : value
  const model: unknown = JSON.parse(JSON.stringify(sample.model), replaceText)
  return { ...sample, model } as PageSample

  function replaceText(key: string, value: unknown): unknown {
    return typeof value === 'string' && instant.test(value) ? new Date(value) : replace(key, value)
  }
}

const instant = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

interface Tag {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

/** The start tags of a page. Throws where markup is not exactly ours: every `<` must open a well-formed tag. */
function tagsOf(html: string): Tag[] {
  const tag =
    /<(?:!doctype html|\/[a-z][a-z0-9]*|([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*\/?)>/g
  expect(html.replace(tag, '')).not.toMatch(/[<>]/)
  return [...html.matchAll(tag)].flatMap(([, name, attributes = '']) =>
    name === undefined
      ? []
      : [
          {
            name,
            attributes: new Map(
              [...attributes.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [
                key,
                value,
              ]),
            ),
          },
        ],
  )
}

function expectStrict(html: string): void {
  const tags = tagsOf(html)
  expect(tags.filter(({ name }) => ['style', 'base', 'object', 'embed'].includes(name))).toEqual([])
  const frames = tags.filter(({ name }) => name === 'iframe')
  expect(frames.filter(({ attributes }) => !attributes.has('sandbox'))).toEqual([])
  expect(
    tags.filter(({ attributes }) =>
      [...attributes.keys()].some((key) => key === 'style' || key.startsWith('on')),
    ),
  ).toEqual([])
  const scripts = tags.filter(({ name }) => name === 'script').map(({ attributes }) => attributes.get('src'))
  expect(scripts.length).toBeGreaterThan(0)
  for (const source of scripts) expect(source).toMatch(/^\/assets\//)
  expect(html.match(/<script [^>]*><\/script>/g)).toHaveLength(scripts.length)
}
