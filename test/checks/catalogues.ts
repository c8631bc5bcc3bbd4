import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The messages of one language: its keys, with the file and the text of each. */
export interface CatalogueRead {
  readonly locale: string
  readonly messages: ReadonlyMap<string, { readonly file: string; readonly text: string }>
  /** What is wrong with the files themselves. */
  readonly faults: readonly string[]
}

const folder = 'views/messages'

/** Every language of the tree at `root`. */
export function readCatalogues(root: string): readonly CatalogueRead[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder)).map((locale) => readCatalogueOf(root, locale))
}

function readCatalogueOf(root: string, locale: string): CatalogueRead {
  const messages = new Map<string, { file: string; text: string }>()
  const faults: string[] = isTag(locale) ? [] : [`${folder}/${locale} is not named by a BCP 47 tag`]
  for (const file of readdirSync(join(root, folder, locale)).sort()) {
    const place = `${folder}/${locale}/${file}`
    for (const { key, text, fault } of entriesOf(readFileSync(join(root, place), 'utf8'))) {
      const earlier = messages.get(key)
      if (fault !== undefined) faults.push(`${place}: ${fault}`)
      else if (earlier) faults.push(`${place}: ${key} is given once more, after ${earlier.file}`)
      else messages.set(key, { file, text })
    }
  }
  return { locale, messages, faults }
}

interface Entry {
  readonly key: string
  readonly text: string
  readonly fault?: string
}

const broken = (fault: string): Entry => ({ key: '', text: '', fault })

/** JSON keeps the last of two equal keys without a word, so the keys are counted in the text itself. */
function entriesOf(json: string): readonly Entry[] {
  const written = [...json.matchAll(/^\s*"([^"]+)"\s*:/gm)].map(([, key = '']) => key)
  const twice = written.filter((key, index) => written.indexOf(key) !== index)
  return [...twice.map((key) => broken(`${key} is given once more`)), ...parsedEntries(json)]
}

function parsedEntries(json: string): readonly Entry[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    return [broken(`it is no JSON: ${String(error)}`)]
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return [broken('it is no object of messages')]
  return Object.entries(parsed).map(([key, text]) =>
    typeof text === 'string' ? { key, text } : broken(`${key} is no text`),
  )
}

function isTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale)[0] === locale
  } catch {
    return false
  }
}
