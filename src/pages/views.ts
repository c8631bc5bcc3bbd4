import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Eta } from 'eta/core'
import { type Asset, openAssets } from './assets.ts'
import { type Brand, brandStylesheet } from './brand.ts'
import { contained, directionOf, isolated, unisolated } from './direction.ts'
import { locales, type MessageKey, openMessages } from './messages.ts'
import type { PageModels, ScopeView, Text } from './models.ts'

export type { Brand } from './brand.ts'

export interface Views {
  /** Renders a whole HTML page. Throws on an unknown template, and where a template meets an undefined value. */
  render<Name extends keyof PageModels>(page: PageContext, template: Name, model: PageModels[Name]): string
  /** Static assets by URL path: `/assets/<name>.<hash8>.<ext>`, to be served as immutable. */
  readonly assets: ReadonlyMap<string, Asset>
  readonly brandName: string
  /** Whether there is a message of that name. */
  has(key: MessageKey): boolean
}

/** What a page knows of its request. */
export interface PageContext {
  /** From `pickLocale`; one without a message file is shown in English. */
  readonly locale: string
  /** The Content-Security-Policy nonce of this response. */
  readonly nonce: string
  /** Goes into every form as `_csrf`. */
  readonly csrfToken?: string
  readonly requestId?: string
}

export interface ViewOptions {
  readonly directory: string
  readonly brand: Brand
  /** What stands before every path of our own, such as `/auth`; empty where the server has a host to itself. */
  readonly basePath?: string
}

/**
 * Compiles every template, message and asset below `directory` once. Nothing is read or compiled later, and no
 * value is ever treated as a template.
 */
export function openViews(options: ViewOptions): Views {
  const { directory, brand, basePath = '' } = options
  const assets = openAssets(join(directory, 'assets'), { 'latchkey.css': brandStylesheet(brand) })
  const mark = readFileSync(join(directory, 'assets', 'logo.svg'), 'utf8').trim()
  const messages = openMessages()
  const eta = openTemplates(directory)

  return {
    assets: assets.byPath,
    brandName: brand.name,
    has: messages.has,
    render(page, template, model) {
      const locale = locales.includes(page.locale) ? page.locale : 'en'
      const t = messages.translator(locale)
      const html = eta.render(template, {
        ...model,
        page: { ...page, locale, dir: directionOf(locale) },
        brand,
        mark,
        t,
        say: (text: Text) => t(text.key, text.params),
        unisolated,
        asset: assets.pathOf,
        link: safeLink,
        initial,
        scopeText: (scope: ScopeView) => scopeText(scope, t),
        claimText: (claim: string) => claimText(claim, t),
        duration: (seconds: number) => formatDuration(seconds, locale),
        instant: (at: Date) => formatInstant(at, locale),
        list: (texts: readonly string[]) => formatList(texts, locale),
      })
      return basePath === '' ? html : below(basePath, html)
    },
  }
}

/**
 * Puts the base path before every address of our own. Only markup that a template wrote can match: the quotation mark of
 * a value is escaped.
 */
const below = (basePath: string, html: string): string =>
  html.replaceAll(/(?<=\s(?:href|src|action|formaction|poster)=")\/(?!\/)/g, `${basePath}/`)

/** Its templates are compiled where mails are written. */
const mailFolder = 'mail'

function openTemplates(directory: string): Eta {
  const eta = new Eta({
    autoEscape: true,
    escapeFunction: escapeHtml,
    rmWhitespace: true,
    functionHeader: templateHeader,
  })
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.eta') || file.startsWith(mailFolder)) continue
    const name = file.slice(0, -'.eta'.length).replaceAll('\\', '/')
    eta.loadTemplate(name, readFileSync(join(directory, file), 'utf8'))
  }
  return eta
}

const templateHeader =
  'const { page, brand, mark, t, say, unisolated, asset, link, initial, scopeText, claimText, duration, instant, list } = it;'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const invisible = /(?![\t\n])\p{Cc}/gu

/**
 * Escapes for element content and quoted attributes, and leaves nothing by which a name could reorder the words around it.
 * Throws on undefined and null, which are a template's mistake.
 */
export function escapeHtml(value: unknown): string {
  if (value === undefined || value === null) throw new TypeError('A template met a value that is missing')
  return contained(String(value))
    .replace(invisible, '')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** The address if a person may follow it: an own-origin path, https, or http (development). Otherwise undefined. */
export function safeLink(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  if (/^\/(?![/\\\s])/.test(address)) return address
  const protocol = URL.parse(address)?.protocol
  return protocol === 'https:' || protocol === 'http:' ? address : undefined
}

/** The first letter or digit of a name, for the tile that stands in for a picture. */
export function initial(name: string): string {
  return (/[\p{L}\p{N}]/u.exec(name)?.[0] ?? '?').toUpperCase()
}

const standardScopes: Readonly<Record<string, MessageKey>> = {
  openid: 'scope.openid',
  profile: 'scope.profile',
  email: 'scope.email',
  phone: 'scope.phone',
  address: 'scope.address',
}

function scopeText(scope: ScopeView, t: (key: MessageKey) => string): string {
  const key = Object.hasOwn(standardScopes, scope.name) ? standardScopes[scope.name] : undefined
  return key === undefined ? scope.description || scope.name : t(key)
}

/** The claims of OpenID Connect Core 1.0 §5.1, by the messages that name them. */
const standardClaims: Readonly<Record<string, MessageKey>> = {
  name: 'claim.name',
  given_name: 'claim.given-name',
  family_name: 'claim.family-name',
  middle_name: 'claim.middle-name',
  nickname: 'claim.nickname',
  preferred_username: 'claim.preferred-username',
  profile: 'claim.profile',
  picture: 'claim.picture',
  website: 'claim.website',
  email: 'claim.email',
  email_verified: 'claim.email-verified',
  gender: 'claim.gender',
  birthdate: 'claim.birthdate',
  zoneinfo: 'claim.zoneinfo',
  locale: 'claim.locale',
  phone_number: 'claim.phone-number',
  phone_number_verified: 'claim.phone-number-verified',
  address: 'claim.address',
  updated_at: 'claim.updated-at',
}

/** One of the operator's own stands by its name. */
const claimText = (claim: string, t: (key: MessageKey) => string): string => {
  const key = Object.hasOwn(standardClaims, claim) ? standardClaims[claim] : undefined
  return key === undefined ? claim : t(key)
}

const durationUnits = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
]

/** In the largest unit that either divides the time or fits into it at least twice; never less than a minute. */
function formatDuration(seconds: number, locale: string): string {
  const fits = (unit: number) => seconds >= 2 * unit || (seconds > 0 && seconds % unit === 0)
  const { unit, seconds: length } = durationUnits.find(({ seconds: length }) => fits(length)) ?? {
    unit: 'minute',
    seconds: 60,
  }
  const rounded = Math.max(1, Math.round(seconds / length))
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(rounded)
}

function formatInstant(at: Date, locale: string): string {
  const options = {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  } as const
  return new Intl.DateTimeFormat(locale, options).format(at)
}

/** Everything in a row, in the shortest way that reads well in the language: `A, B`, `A und B`, `A、B`. */
function formatList(texts: readonly string[], locale: string): string {
  const format = new Intl.ListFormat(locale, { type: 'conjunction', style: 'narrow' })
  return format.format(texts.map((text) => isolated(text, directionOf(locale))))
}
