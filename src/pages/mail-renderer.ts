/** The words of mails: subject, text and HTML, from the messages and the templates in `views/mail`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Eta } from 'eta/core'
import type { Text, TextParams } from '../kernel/text.ts'
import { type Brand, brandAccents } from './brand.ts'
import { directionOf, isolated, unisolated } from './direction.ts'
import { pickLocale } from './languages.ts'
import { openMessages, type Translate } from './messages.ts'
import { escapeHtml, initial, safeLink } from './views.ts'

/** What a mail is about; see the mail feature. */
export interface MailContent {
  readonly template: string
  readonly model?: TextParams
  readonly text?: Text
  readonly facts?: readonly MailFact[]
  readonly zone?: string
  readonly link?: string
  readonly code?: string
  readonly locale?: string | undefined
}

type MailFact = ({ readonly label: string } | { readonly name: string }) & {
  readonly value: string | Date | Text
}

export interface MailWords {
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface MailRendererOptions {
  readonly brand: Brand
  readonly issuer: string
}

const directory = join(import.meta.dirname, '../../views/mail')

/** Reads messages and templates now, so open it when the first mail is to be written. */
export function openMailRenderer({ brand, issuer }: MailRendererOptions): (mail: MailContent) => MailWords {
  const messages = openMessages()
  const templates = openTemplates()
  const look = { brand, logo: absolute(brand.logoUrl, issuer), accents: brandAccents(brand) }

  return (mail) => {
    const locale = pickLocale({ userLocale: mail.locale })
    const page = { locale, dir: directionOf(locale) }
    const translate = messages.translator(locale)
    const t: Translate = (key, params = {}) => translate(key, { ...cleaned(params), brand: brand.name })
    const words = wordsOf(mail, { t, join: translate, has: messages.has, locale })
    const model = { ...look, page, t, initial, mail: words, home: issuer, host: new URL(issuer).host }
    return {
      subject: words.subject,
      // What is left out leaves empty lines behind.
      text: `${templates.text
        .render('text', model)
        .trim()
        .replaceAll(/\n{3,}/g, '\n\n')}\n`,
      html: templates.html.render('html', model),
    }
  }
}

function openTemplates() {
  const common = {
    autoTrim: false,
    functionHeader: 'const { brand, logo, accents, page, t, initial, mail } = it;',
  } as const
  const html = new Eta({ ...common, autoEscape: true, escapeFunction: escapeHtml, rmWhitespace: true })
  const text = new Eta({ ...common, autoEscape: false })
  for (const file of readdirSync(directory)) {
    const source = readFileSync(join(directory, file), 'utf8')
    const name = file.replace(/\.eta$/, '')
    ;(name === 'text' ? text : html).loadTemplate(name, source)
  }
  return { html, text }
}

interface Language {
  readonly t: Translate
  /** For what is words already. */
  readonly join: Translate
  readonly has: (key: string) => boolean
  readonly locale: string
}

function wordsOf(
  { template, model, text, facts = [], zone, link, code }: MailContent,
  { t, join, has, locale }: Language,
) {
  const optional = (key: string): string => (has(key) ? t(key, model) : '')
  const foreign = (value: string): string => isolated(harmless(value), directionOf(locale))
  const say = (value: string | Date | Text): string => {
    if (typeof value === 'string') return foreign(value)
    return value instanceof Date ? formatInstant(value, locale, zone) : t(value.key, value.params)
  }
  const heading = t(`mail.${template}.subject`, model)
  return {
    subject: oneLine(unisolated(heading)),
    heading: unbroken(heading),
    lead: text === undefined ? t(`mail.${template}.text`, model) : t(text.key, { ...model, ...text.params }),
    facts: facts.map((fact) => {
      const label = 'name' in fact ? foreign(fact.name) : t(fact.label)
      const value = say(fact.value)
      return { label, value, line: join('mail.fact', { label, value }) }
    }),
    code: code ?? '',
    codeParts: code === undefined ? [] : grouped(code),
    link: link ?? '',
    button: link === undefined ? '' : t(`mail.${template}.button`, model),
    after: optional(`mail.${template}.after`),
  }
}

const cleaned = (params: TextParams): TextParams =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'string' ? harmless(value) : value,
    ]),
  )

const maximumLength = 200
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu
const address = /^[^\s@/]+@[^\s@/]+$/

/**
 * What somebody else may have chosen, such as a name, made into one line that no mail program turns into a link: who may
 * name himself must not be able to write to others in our name.
 */
function harmless(value: string): string {
  const line = oneLine(value).slice(0, maximumLength).toWellFormed()
  return address.test(line) ? line : line.replace(/\.(?=\p{L})|:(?=\/\/)/gu, '$&\u200b')
}

/** Words such as E-Mail stay on one line: what a mail program is shown, not what it lists or searches. */
const unbroken = (heading: string): string => heading.replace(/(?<!\p{L})(\p{L})-(?=\p{L})/gu, '$1\u2011')

const oneLine = (value: string): string => value.replace(invisible, ' ').trim()

/** Digits in two halves, as they are read out; anything else as it is. */
function grouped(code: string): readonly string[] {
  const half = code.length / 2
  return /^\d{6}$|^\d{8}$/.test(code) ? [code.slice(0, half), code.slice(half)] : [code]
}

function formatInstant(at: Date, locale: string, zone = 'UTC'): string {
  const options = { dateStyle: 'long', timeStyle: 'short' } as const
  try {
    const text = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }).format(at)
    return zone === 'UTC' ? `${text} UTC` : `${text} (${zone})`
  } catch {
    return formatInstant(at, locale)
  }
}

function absolute(logo: string | undefined, issuer: string): string | undefined {
  const link = safeLink(logo)
  return link?.startsWith('/') === true ? issuer + link : link
}
