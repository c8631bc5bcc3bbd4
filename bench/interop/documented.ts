/** What the documents show, to be tried as it stands. */
import { readFileSync } from 'node:fs'

/** Where a block of code stands: the document below `docs/`, the heading above it, the language. */
export interface Place {
  readonly document: string
  readonly heading: string
  readonly language: string
}

/** @throws where there is no such block, or several */
export function blockOf({ document, heading, language }: Place): string {
  const text = readFileSync(new URL(`../../docs/${document}`, import.meta.url), 'utf8')
  const section = text.split(/^##+ /m).find((each) => each.startsWith(`${heading}\n`)) ?? ''
  const blocks = [...section.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)]
    .filter(([, of]) => of === language)
    .map(([, , block = '']) => block)
  if (blocks.length !== 1)
    throw new Error(`docs/${document}, ${heading}: ${blocks.length} blocks of ${language}, not one`)
  return blocks[0] as string
}

/** The environment that such a block sets, without the comments. */
export const settingsIn = (block: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...block.matchAll(/^([A-Z_]+)=(\S*)/gm)].map(([, name, value]) => [name, value]))

/** What a document names, and what a trial has in its place. */
export type Fitting = readonly [documented: string, tried: string]

/** Puts the addresses and files of a trial in the place of those that the document names. @throws where one is not in it */
export function fitted(text: string, fittings: readonly Fitting[]): string {
  return fittings.reduce((fitting, [documented, tried]) => {
    if (!fitting.includes(documented)) throw new Error(`${documented} is not in: ${text}`)
    return fitting.replaceAll(documented, tried)
  }, text)
}
