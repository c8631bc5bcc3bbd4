import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/** A file served unchanged for ever under a path that carries its hash. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
  /** A strong entity tag with its quotes (RFC 9110 §8.8.3). */
  readonly etag: string
}

/** The static files of the pages, by URL path, and the path that a file's plain name has. */
export interface Assets {
  readonly byPath: ReadonlyMap<string, Asset>
  /** Throws on a name that is no asset. */
  pathOf(name: string): string
}

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Reads all files of a folder, with text to append to some of them. Throws on a file type that has no content type. */
export function openAssets(directory: string, appended: Readonly<Record<string, string>> = {}): Assets {
  const byPath = new Map<string, Asset>()
  const paths = new Map<string, string>()
  for (const name of readdirSync(directory)) {
    const extension = extname(name)
    const type = contentTypes[extension]
    if (type === undefined) throw new Error(`No content type for the asset ${name}`)
    const body = Buffer.concat([readFileSync(join(directory, name)), Buffer.from(appended[name] ?? '')])
    const hash = createHash('sha256').update(body).digest('hex')
    const path = `/assets/${name.slice(0, -extension.length)}.${hash.slice(0, 8)}${extension}`
    byPath.set(path, { type, body, etag: `"${hash.slice(0, 32)}"` })
    paths.set(name, path)
  }
  return {
    byPath,
    pathOf(name) {
      const path = paths.get(name)
      if (path === undefined) throw new Error(`No asset named ${name}`)
      return path
    },
  }
}
