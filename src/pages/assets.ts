import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context } from 'koa'

/** A file served unchanged for ever under a path that carries its hash. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
  /** A strong entity tag with its quotes (RFC 9110 §8.8.3). */
  readonly etag: string
  /** The body as it goes over the wire; compressed when it is first asked for, and kept. */
  encoded(encoding: Encoding): Promise<Buffer>
}

export type Encoding = 'br' | 'gzip'

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
    byPath.set(path, { type, body, etag: `"${hash.slice(0, 32)}"`, encoded: encodings(body) })
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

const compress = {
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION }),
} satisfies Record<Encoding, unknown>

function encodings(body: Buffer): Asset['encoded'] {
  const made = new Map<Encoding, Promise<Buffer>>()
  return (encoding) => {
    const encoded = made.get(encoding) ?? compress[encoding](body)
    made.set(encoding, encoded)
    return encoded
  }
}

const bestFirst = ['br', 'gzip'] as const
const yearSeconds = 31_536_000

/**
 * Answers with an asset in the best encoding that the browser takes. Only assets are compressed, as they hold nothing
 * secret: the length of a compressed page would tell of the form token in it, given enough requests (BREACH).
 */
export async function answerAsset(ctx: Context, asset: Asset): Promise<void> {
  const encoded = bestFirst.find((each) => ctx.acceptsEncodings(each) === each)
  ctx.vary('Accept-Encoding')
  ctx.set('Cache-Control', `public, max-age=${yearSeconds}, immutable`)
  // RFC 9110 §8.8.3.3: encodings of one file are different representations, so their strong tags differ.
  ctx.set('ETag', encoded === undefined ? asset.etag : asset.etag.replace(/"$/, `-${encoded}"`))
  ctx.status = 200
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  ctx.type = asset.type
  if (encoded !== undefined) ctx.set('Content-Encoding', encoded)
  ctx.body = encoded === undefined ? asset.body : await asset.encoded(encoded)
}
