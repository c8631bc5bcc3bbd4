import { readCatalogues } from './catalogues.ts'
import { usesOf } from './message-uses.ts'
import { faultsOfLanguage } from './translations.ts'
import type { Verdict } from './verdict.ts'

/**
 * Holds the messages of the tree at `root` against what `src` and `views` say of them: none is missing, none is left
 * over, and every language has all of them with the same arguments and its own plurals.
 */
export function checkMessages(root: string): Verdict {
  const catalogues = readCatalogues(root)
  const english = catalogues.find(({ locale }) => locale === 'en')
  if (english === undefined) return { faults: ['views/messages/en is missing'], summary: '' }
  const { needs, mentioned } = usesOf(root)
  const known = new Set(english.messages.keys())
  const faults = [
    ...needs
      .filter(({ key }) => !known.has(key))
      .map(({ key, where }) => `${where} names ${key}, which is no message`),
    ...[...english.messages]
      .filter(([key]) => !mentioned.has(key))
      .map(([key, { file }]) => `views/messages/en/${file}: ${key} is used nowhere`),
    ...catalogues.flatMap((own) => faultsOfLanguage(own, english)),
  ]
  return { faults, summary: `${known.size} messages in ${catalogues.length} languages` }
}
