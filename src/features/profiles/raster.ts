import { picturesBusy, pictureTooLarge, pictureUnreadable } from './profiles.ts'

/** Edge of the square in pixels. */
const pictureEdge = 512
const smallEdge = 128

const maximumPixels = 60_000_000
const secondsAtMost = 10
const mostWaiting = 8

/** A picture as it is kept: made anew, square, without anything that came along in the file. */
export interface Raster {
  readonly type: 'image/webp'
  readonly body: Buffer
  readonly small: Buffer
}

/** Draws an uploaded picture anew, so that nothing of it but its pixels is kept. */
export type MakeRaster = (upload: Buffer) => Promise<Raster>

type Sharp = typeof import('sharp').default

/** What a file of each accepted kind begins with, and so which of the library's readers may see it. */
const kinds: Readonly<Record<string, (file: Buffer) => boolean>> = {
  jpeg: (file) => file.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  png: (file) => file.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')),
  webp: (file) => file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WEBP',
}
const readers = ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer']

/**
 * Draws uploaded pictures anew, one at a time, so that many of them take no more memory and processor than one. Throws
 * `profiles.picture_unreadable`, `profiles.picture_too_large` and `profiles.pictures_busy`. The library is loaded when the
 * first picture comes.
 */
export function openRaster(): MakeRaster {
  let library: Promise<Sharp> | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  return async (upload) => {
    const kind = Object.keys(kinds).find((each) => kinds[each]?.(upload))
    if (kind === undefined) throw pictureUnreadable()
    if (waiting >= mostWaiting) throw picturesBusy()
    waiting += 1
    const drawn = last.then(async () => {
      library ??= loadLibrary()
      return await draw(await library, upload, kind)
    })
    last = drawn.catch(() => undefined)
    try {
      return await drawn
    } finally {
      waiting -= 1
    }
  }
}

async function loadLibrary(): Promise<Sharp> {
  const { default: sharp } = await import('sharp')
  sharp.cache(false)
  sharp.concurrency(1)
  // Readers of other kinds (SVG, PDF, TIFF, …) are where the faults are; none of them is ever needed.
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: readers })
  return sharp
}

async function draw(sharp: Sharp, upload: Buffer, kind: string): Promise<Raster> {
  try {
    const { format, width, height, pages = 1 } = await sharp(upload, { limitInputPixels: false }).metadata()
    if (format !== kind || pages > 1) throw pictureUnreadable()
    if (width * height > maximumPixels) throw pictureTooLarge()
    const square = await sharp(upload, { limitInputPixels: maximumPixels, failOn: 'error' })
      .timeout({ seconds: secondsAtMost })
      .autoOrient()
      .resize(pictureEdge, pictureEdge, { fit: 'cover' })
      .webp({ quality: 84 })
      .toBuffer()
    const small = await sharp(square).resize(smallEdge, smallEdge).webp({ quality: 84 }).toBuffer()
    return { type: 'image/webp', body: square, small }
  } catch (error) {
    throw error instanceof Error && 'code' in error && String(error.code).startsWith('profiles.')
      ? error
      : pictureUnreadable(error)
  }
}
