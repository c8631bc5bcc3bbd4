import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Node, type ObjectExpression, parseSync, Visitor } from 'oxc-parser'
import { sourceFiles } from './modules.ts'

/** A message that some place needs. */
export interface Need {
  readonly key: string
  readonly where: string
}

/** What one file, or the whole tree, says of messages. */
export interface Uses {
  /** Messages without which it cannot do its work. */
  readonly needs: readonly Need[]
  /** Every text by which a message may be meant: literals, and the words that conventions make of them. */
  readonly mentioned: ReadonlySet<string>
}

const keyPattern = /^[a-z]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+$/
const fileEnding = /\.(?:css|js|svg|png|webp|ico|json|webmanifest)$/

/** Everything below `src` and `views` of the tree at `root`. */
export function usesOf(root: string): Uses {
  const all = [
    ...sourceFiles(root, 'src').map((path) => usesOfSource(path, readFileSync(join(root, path), 'utf8'))),
    ...templates(root).map((path) => usesOfTemplate(path, readFileSync(join(root, path), 'utf8'))),
  ]
  return {
    needs: all.flatMap(({ needs }) => needs),
    mentioned: new Set(all.flatMap(({ mentioned }) => [...mentioned])),
  }
}

function templates(root: string): readonly string[] {
  if (!existsSync(join(root, 'views'))) return []
  return readdirSync(join(root, 'views'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.eta'))
    .map((path) => `views/${path.replaceAll('\\', '/')}`)
}

/** In a template every dotted word in quotes is a message, but for the names of files. */
function usesOfTemplate(where: string, text: string): Uses {
  const keys = [...text.matchAll(/(['"`])([a-z][\w.-]*)\1/g)]
    .map(([, , word = '']) => word)
    .filter((word) => keyPattern.test(word) && !fileEnding.test(word))
  return { needs: keys.map((key) => ({ key, where })), mentioned: new Set(keys) }
}

/** Properties whose text is a message: of a `Text`, of a page, of what is offered. */
const messageProperties = new Set(['key', 'title', 'label'])
const translators = new Set(['t', 'say'])
/** What a factor offers itself as. */
const places = new Set(['first', 'second', 'either'])

function usesOfSource(path: string, source: string): Uses {
  const literals = new Set<string>()
  const needed = new Map<string, number>()
  const composed: (readonly [before: string, after: string])[] = []
  const need = (key: string, { start }: Node): void => void needed.set(key, start)
  const needAll = (node: Node | null | undefined): void => {
    for (const { text, literal } of textsIn(node)) if (keyPattern.test(text)) need(text, literal)
  }
  const needToldBy = (told: ObjectExpression): void => {
    const names = (property: string) =>
      textsIn(propertyOf(told, property)).filter(({ text }) => /^[a-z-]+$/.test(text))
    for (const { text, literal } of names('what')) need(`notice.${text}`, literal)
    if (names('offers').some(({ text }) => places.has(text)))
      for (const { text, literal } of names('name')) need(`factor.${text}`, literal)
    const parts = [
      'subject',
      ...(propertyOf(told, 'text') === undefined ? ['text'] : []),
      ...(propertyOf(told, 'link') === undefined ? [] : ['button']),
    ]
    for (const { text, literal } of names('template'))
      for (const part of parts) need(`mail.${text}.${part}`, literal)
  }
  new Visitor({
    Literal: (node) => void (typeof node.value === 'string' && literals.add(node.value)),
    TemplateLiteral(node) {
      const texts = node.quasis.map(({ value }) => value.raw)
      if (texts.length === 1) literals.add(texts[0] ?? '')
      const [before = '', after = ''] = texts
      if (texts.length === 2 && /^[a-z-]+\.$/.test(before)) composed.push([before, after])
    },
    Property(node) {
      const name = nameOf(node.key)
      literals.add(name)
      if (messageProperties.has(name)) needAll(node.value)
    },
    ObjectExpression: (node) => void (path.startsWith('src/features/') && needToldBy(node)),
    CallExpression(node) {
      const name = nameOf(node.callee.type === 'MemberExpression' ? node.callee.property : node.callee)
      if (translators.has(name)) needAll(node.arguments[0])
      needProblem(node.arguments, need)
    },
    NewExpression: (node) => needProblem(node.arguments, need),
    VariableDeclarator(node) {
      const type = node.id.typeAnnotation
      if (type && source.slice(type.start, type.end).includes('MessageKey')) needAll(node.init)
    },
  }).visit(parseSync(path, source).program)
  const lineOf = (start: number): number => source.slice(0, start).split('\n').length
  return {
    needs: [...needed].map(([key, start]) => ({ key, where: `${path}:${lineOf(start)}` })),
    mentioned: mentionedBy(literals, composed),
  }
}

/** An error about a field is told beside it, so it needs words: `new AppError('a.b', 400, '…', { field: 'c' })`. */
function needProblem(given: readonly Node[], need: (key: string, node: Node) => void): void {
  const [code] = given
  const options = given.at(-1)
  if (code?.type !== 'Literal' || typeof code.value !== 'string' || options?.type !== 'ObjectExpression')
    return
  if (propertyOf(options, 'field') !== undefined && /^[a-z-]+\.[a-z_]+$/.test(code.value))
    need(`problem.${code.value}`, code)
}

/**
 * What a literal stands for as a message, a label, a notice, a factor or a mail; and, beside those that a file composes
 * of a literal and its feature's name, as the code of an error or the action of an audit entry.
 */
function mentionedBy(
  literals: ReadonlySet<string>,
  composed: readonly (readonly [before: string, after: string])[],
): ReadonlySet<string> {
  const mentioned = new Set<string>()
  for (const text of literals) {
    for (const key of [text, `${text}-hint`, `notice.${text}`, `factor.${text}`]) mentioned.add(key)
    for (const part of ['subject', 'text', 'button', 'after']) mentioned.add(`mail.${text}.${part}`)
    for (const code of [text, ...composed.map(([before, after]) => `${before}${text}${after}`)])
      for (const key of [`problem.${code}`, `event.${code}`, `event.${code}.failed`]) mentioned.add(key)
  }
  return mentioned
}

function propertyOf({ properties }: ObjectExpression, name: string): Node | undefined {
  for (const each of properties) if (each.type === 'Property' && nameOf(each.key) === name) return each.value
  return undefined
}

const nameOf = (node: Node): string =>
  node.type === 'Identifier' ? node.name : node.type === 'Literal' ? String(node.value) : ''

interface Found {
  readonly text: string
  readonly literal: Node
}

/** The literals that an expression can come to: itself, either branch of a choice, and what is inside an object. */
function textsIn(node: Node | null | undefined): readonly Found[] {
  if (!node) return []
  const found: Found[] = []
  new Visitor({
    Literal: (literal) =>
      void (typeof literal.value === 'string' && found.push({ text: literal.value, literal })),
  }).visit({ type: 'Program', body: [{ type: 'ExpressionStatement', expression: node }] } as never)
  return found
}
