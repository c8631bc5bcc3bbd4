import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { type Node, parseSync, Visitor } from 'oxc-parser'

/** One import, export-from, `import()`, `import('…')` type or `require()` of a module. */
export interface Import {
  /** A path from the root of the tree, `npm:<package>[/<path>]`, `node:<module>`, or undefined when it cannot be read. */
  readonly target: string | undefined
  /** The target as the source wrote it. */
  readonly written: string
  readonly line: number
  /** Erased when the types are stripped: `import type`, `export type … from`, a type's `import('…')`. */
  readonly typeOnly: boolean
  /** False when `target` is a path at which there is no file. */
  readonly found: boolean
}

export interface Module {
  /** From the root of the tree, with forward slashes. */
  readonly path: string
  readonly imports: readonly Import[]
  /** What the parser could not read. */
  readonly errors: readonly string[]
}

type Written = Pick<Import, 'written' | 'typeOnly'> & { readonly start: number; readonly readable: boolean }

const sourceFile = /\.[cm]?[jt]sx?$/

/** Every source file below `folder`, in order; generated code and installed packages are nobody's source. */
export function sourceFiles(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.split(sep).join('/')}`)
    .filter((path) => sourceFile.test(path) && !/^src\/storage\/generated\/|\/node_modules\//.test(path))
    .sort()
}

/** Parses one file; `path` is relative to `root`. */
export function readModule(root: string, path: string): Module {
  const source = readFileSync(join(root, path), 'utf8')
  const parsed = parseSync(path, source)
  return {
    path,
    errors: parsed.errors.map((error) => error.message),
    imports: importsOf(parsed.program).map(({ start, readable, written, typeOnly }) => {
      const target = readable ? resolveTarget(path, written) : undefined
      const found = target === undefined || /^(npm|node):/.test(target) || existsSync(join(root, target))
      return { target, written, typeOnly, found, line: source.slice(0, start).split('\n').length }
    }),
  }
}

function importsOf(program: Parameters<Visitor['visit']>[0]): readonly Written[] {
  const imports: Written[] = []
  const add = (node: Node | null | undefined, typeOnly: boolean): void => {
    if (!node) return
    const readable = node.type === 'Literal' && typeof node.value === 'string'
    imports.push({
      start: node.start,
      typeOnly,
      readable,
      written: readable ? String(node.value) : 'a computed path',
    })
  }
  new Visitor({
    // `import { type A } from` still loads its module when types are only stripped, so the declaration's kind decides.
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type'),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(node.arguments[0], false)
    },
  }).visit(program)
  return imports
}

function resolveTarget(from: string, written: string): string | undefined {
  if (written.startsWith('node:')) return written
  if (/^[#/]|^\w+:/.test(written)) return undefined
  if (!written.startsWith('.')) return `npm:${written}`
  const path = relative('/', resolve('/', dirname(from), written))
    .split(sep)
    .join('/')
  const installed = path.lastIndexOf('node_modules/')
  return installed === -1 ? path : `npm:${path.slice(installed + 'node_modules/'.length)}`
}
