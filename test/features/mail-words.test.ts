import { describe, expect, it } from 'vitest'
import { type MailContent, openMailRenderer } from '../../src/pages/mail-renderer.ts'
import { locales } from '../../src/pages/messages.ts'

const issuer = 'https://id.example.test'
const brand = { name: 'Acme & Sons' }
const render = openMailRenderer({ brand, issuer })
const codeMail = (application: string, more: Partial<MailContent> = {}): MailContent => ({
  template: 'email-code',
  model: { application, minutes: 5 },
  code: '123456',
  link: `${issuer}/link/email-codes?token=abc&x=1`,
  ...more,
})

describe('the words of a mail', () => {
  it('hold the code in one piece to be copied, in two to be read, and the link as it is', () => {
    const { subject, text, html } = render(codeMail('Shop'))
    expect(subject).toBe('Your code to sign in to Shop')
    expect(text).toMatch(/^ {4}123456$/m)
    expect(text).toMatch(/^https:\/\/id\.example\.test\/link\/email-codes\?token=abc&x=1$/m)
    expect(html).toMatch(/<span[^>]*>123<\/span><span[^>]*>456<\/span>/)
    expect(
      html.match(/href="https:\/\/id\.example\.test\/link\/email-codes\?token=abc&amp;x=1"/g),
    ).toHaveLength(2)
    expect(html).toContain('Acme &amp; Sons')
    expect(text).toContain('Acme & Sons · https://id.example.test')
    expect(text).not.toMatch(/\n{3}|&amp;/)
  })

  it('let no name be markup, a line of its own, a link, or turn the direction of writing', () => {
    const name = '<script>alert(1)</script>\r\nhttps://evil.test www.evil.test\u202egro.live\u2069'
    const { subject, text, html } = render(codeMail(name))
    expect(subject).not.toMatch(/[\r\n\u202e\u2069]/)
    for (const words of [subject, text, html])
      expect(words).not.toMatch(/https:\/\/evil|www\.evil|evil\.test|[\u202a-\u202e]/)
    expect(html).not.toContain('<script')
    expect(text.split('\n').some((line) => line.startsWith('http') && line.includes('evil'))).toBe(false)
  })

  it('leave addresses and plain names as they are, and shorten what is endless', () => {
    const { text } = render(codeMail('anna@example.test'))
    expect(text).toContain('signing in to anna@example.test,')
    expect(render(codeMail('O’Hara & Co')).text).toContain('O’Hara & Co')
    expect(render(codeMail('x'.repeat(10_000))).subject.length).toBeLessThan(250)
  })

  it('tell times in the zone of who reads them, and in UTC where there is none', () => {
    const facts = [{ label: 'mail.notice.when', value: new Date('2026-01-01T12:00:00Z') }]
    const notice = (zone?: string): MailContent => ({
      template: 'notice',
      text: { key: 'notice.password-changed' },
      facts,
      link: `${issuer}/account/security`,
      ...(zone !== undefined && { zone }),
    })
    expect(render(notice('Europe/Vienna')).text).toMatch(
      /When: January 1, 2026 at 1:00\sPM \(Europe\/Vienna\)/,
    )
    expect(render(notice()).text).toMatch(/When: January 1, 2026 at 12:00\sPM UTC/)
    expect(render(notice('Nowhere/Else')).text).toMatch(/12:00\sPM UTC/)
  })

  it.each(locales)('exist in %s, in its direction', (locale) => {
    const { subject, text, html } = render(codeMail('Shop', { locale }))
    expect(subject + text).toContain('Shop')
    expect(html).toContain(`<html lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}">`)
    // A code and an address are read from the left everywhere.
    expect(html.match(/dir="ltr"/g)?.length).toBeGreaterThanOrEqual(3)
  })

  it('keep a name in its place, but for the subject, which is no running text', () => {
    const facts = [{ label: 'mail.notice.where', value: 'Acme (test)!' }]
    const { subject, text, html } = render(codeMail('Acme!\u2069', { locale: 'ar', facts }))
    expect(subject).toMatch(/\S Acme!$/)
    expect(text).toContain('\u2068Acme!\u2069')
    expect(text).toContain('\u2068\u2068Acme (test)!\u2069\u2069')
    expect(html).toContain(' \u2068Acme!\u2069</h1>')
    expect(html).toContain('\u2068Acme (test)!\u2069</td>')
    expect(Object.values(render(codeMail('Acme!'))).join()).not.toMatch(/[\u2066-\u2069]/)
  })

  it('do not break E-Mail in the heading, and call it the same in the subject', () => {
    const { subject, html } = render({ template: 'address-taken', locale: 'de' })
    expect(subject).toBe('Jemand möchte Ihre E-Mail-Adresse verwenden')
    expect(html).toContain('Ihre E\u2011Mail-Adresse verwenden</h1>')
    expect(html).toContain(`<title>${subject}</title>`)
  })

  it('are English for a language that we lack, and found for a narrower one', () => {
    expect(render(codeMail('Shop', { locale: 'tlh' })).html).toContain('lang="en"')
    expect(render(codeMail('Shop', { locale: 'de-AT' })).html).toContain('lang="de"')
  })

  it('bear the logo and the colour of the installation, readable in light and dark', () => {
    const own = openMailRenderer({ brand: { ...brand, accent: '#ffee00', logoUrl: '/logo.png' }, issuer })
    const { html } = own(codeMail('Shop'))
    expect(html).toContain('<img src="https://id.example.test/logo.png" alt="Acme &amp; Sons"')
    expect(html).toContain('@media (prefers-color-scheme: dark)')
    const button = /<a class="button"[^>]*background:(#[0-9a-f]{6});color:(#[0-9a-f]{6})/.exec(html)
    expect(button?.[2]).toBe('#000000')
    expect(html).not.toMatch(/<script|javascript:|\son\w+=/)
  })
})
