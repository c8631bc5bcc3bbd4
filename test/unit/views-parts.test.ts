import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { escapeHtml, openViews, type PageContext } from '../../src/pages/views.ts'
import { type PageSample, pageSamples, renderSample } from '../support/page-samples.ts'

const views = openViews({
  directory: join(import.meta.dirname, '../../views'),
  brand: { name: 'Latchkey' },
})
const page: PageContext = { locale: 'en', nonce: 'bm9uY2U', csrfToken: 'csrf-token' }

function get(name: string): PageSample {
  const sample = pageSamples.find((candidate) => candidate.name === name)
  if (sample === undefined) throw new Error(`No sample named ${name}`)
  return sample
}

describe('what runs the other way', () => {
  it('keeps a name that runs the other way in its place, but for the title, which is copied', () => {
    const show = (locale: string, name: string) =>
      views.render({ ...page, locale }, 'logout/done', { homeUrl: '/', client: { name, uri: '/' } })
    expect(show('ar', 'Acme!')).toContain('\u2068Acme!\u2069')
    expect(show('en', 'مذكرات!')).toContain('Return to \u2068مذكرات!\u2069<')
    expect(show('en', 'Acme!')).not.toContain('\u2068')
    expect(show('ar', 'a\u2069\u202e\u2067b')).toContain('\u2068ab\u2069')
    const titled = renderSample(views, { ...page, locale: 'ar' }, get('sign-in'))
    expect(titled).toContain('\u2068Acme Notes\u2069')
    expect(/<title>[^<]*/.exec(titled)?.[0]).not.toMatch(/[\u2066-\u2069]/)
  })

  it('leaves no name a control that is not its own to close', () => {
    expect(escapeHtml('a\u2069\u202e\u2066b\u2068c')).toBe('ab\u2068c\u2069')
  })
})

describe('a part of the account', () => {
  const show = (template: string, model: Readonly<Record<string, unknown>>, locale = 'en') => {
    const sample = get('account-part')
    if (sample.template !== 'account/part') throw new Error('The sample is another page')
    return views.render({ ...page, locale }, sample.template, {
      ...sample.model,
      part: { template, model: { base: '/account', ...model } },
    })
  }
  const at = new Date('2026-03-03T14:05:00Z')

  it('says once that more has to be proven', () => {
    const request = { id: 'x', application: { name: 'Acme' }, scopes: [], resources: [], details: [] }
    const answer = { request: { ...request, bindingMessage: 'W4SCT' }, proveUrl: '/prove' }
    const refused = { errors: { form: { key: 'problem.approvals.needs_more' } } }
    for (const model of [answer, { ...answer, ...refused }])
      expect(show('approvals/answer', model).match(/This needs a stronger proof/g)).toHaveLength(1)
  })

  it('tells what an application may do from what it may see', () => {
    const application = {
      clientId: 'a',
      name: 'Acme',
      scopes: [],
      claims: ['email'],
      resources: [],
      details: [],
    }
    const listed = show('consents/panel', { applications: [{ ...application, since: at }] })
    expect(listed).toContain('<p class="caption">It may see</p>')
    expect(listed).not.toContain('It may</p>')
    const parts = [
      { field: 'scope email', scope: { name: 'email' } },
      { field: 'claim name', claim: 'name' },
    ]
    const narrowed = show('consents/narrow', { client: 'a', name: 'Acme', parts })
    expect(narrowed.match(/<legend>.*?<\/legend>|name="(?:scope|claim) [^"]*"/g)).toEqual([
      '<legend>It may</legend>',
      'name="scope email"',
      '<legend>It may see</legend>',
      'name="claim name"',
    ])
  })

  it('names a browser only where one was there', () => {
    const text = { key: 'event.users.updated' }
    const happening = { text, failed: false, at, from: at, count: 1, byOthers: false, device: {} }
    const told = (more: object) =>
      show('audit/panel', { older: false, happenings: [{ ...happening, ...more }] })
    expect(told({})).not.toContain('Unknown browser')
    expect(told({ address: '192.0.2.1' })).toContain('Unknown browser')
    expect(told({ byOthers: true })).toContain('Done by an administrator or by the service')
  })

  it.each([
    ['en', 'password, one-time code'],
    ['de', 'Passwort und Einmalcode'],
    ['ja', 'パスワード、ワンタイムコード'],
    ['ar', '\u2068كلمة المرور\u2069 و\u2068رمز لمرة واحدة\u2069'],
  ])('lists by what somebody signed in as %s does', (locale, words) => {
    const methods = [{ key: 'sessions.by-password' }, { key: 'sessions.by-code' }]
    const session = { signedInAt: at, lastUsedAt: at, methods, applications: [] }
    expect(show('sessions/facts', { session }, locale)).toContain(`<dd>${words}</dd>`)
  })
})
