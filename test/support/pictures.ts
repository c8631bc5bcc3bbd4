/**
 * Pictures to upload, and how a browser uploads them.
 *
 *     const answer = await upload(visitor, page, await photograph())
 */
import sharp from 'sharp'
import { formsOf, type Page, type Visitor } from './visitor.ts'

/** A picture of 300 by 200 pixels, with a place in what is written beside it. */
export const photograph = (
  format: 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' = 'jpeg',
): Promise<Buffer> =>
  sharp({
    create: { width: 300, height: 200, channels: 3, background: { r: 200, g: 30, b: 60 } },
  })
    .withExif({ IFD0: { Copyright: 'secret place' }, IFD3: { GPSLatitude: '48/1 12/1 0/1' } })
    .toFormat(format)
    .toBuffer()

export interface UploadOptions {
  readonly type?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly name?: string
}

/** Sends the page's form with the file, as a browser does. */
export async function upload(
  visitor: Visitor,
  page: Page,
  body: Buffer,
  { type = 'image/jpeg', fields = {}, name = 'picture' }: UploadOptions = {},
): Promise<Response> {
  const form = formsOf(page).find(({ action }) => action.endsWith('/picture/upload'))
  const sent = new FormData()
  for (const [field, value] of Object.entries({ ...form?.fields, ...fields })) sent.set(field, value)
  sent.set(name, new Blob([new Uint8Array(body)], { type }), 'portrait.jpg')
  return await post(visitor, page, sent)
}

/** Posts a body of one's own to where pictures are uploaded. */
export const post = (
  visitor: Visitor,
  { url }: Page,
  body: FormData | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> => {
  const cookie = visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const { origin } = new URL(url)
  return fetch(`${origin}/account/profile/picture/upload`, {
    method: 'POST',
    redirect: 'manual',
    body,
    headers: { accept: 'text/html', origin, cookie, ...headers },
  })
}
