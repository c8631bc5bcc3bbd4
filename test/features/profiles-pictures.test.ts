import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { photograph, post, upload } from '../support/pictures.ts'
import { formsOf, newVisitor, type Page, type Visitor } from '../support/visitor.ts'

describe('a picture', () => {
  let door: FrontDoor
  let issuer: string
  let visitor: Visitor
  beforeAll(async () => {
    door = await openFrontDoor()
    issuer = door.latchkey.issuer
    visitor = await door.signedIn()
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const account = (): Promise<Page> => visitor.get(`${issuer}/account`)
  const addressIn = ({ text }: Page): string | undefined => /src="(\/picture\/[\w-]{22})"/.exec(text)?.[1]
  const stored = () => door.latchkey.app.storage.db.picture.findMany()

  it.each(['jpeg', 'png', 'webp'] as const)(
    'given as %s is drawn anew, square, in two sizes, without what came along',
    async (format) => {
      const file = await photograph(format)
      const answer = await upload(visitor, await account(), file, { type: 'text/html' })
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/account'])
      const page = await account()
      const path = addressIn(page) ?? ''
      for (const [address, edge] of [
        [path, 512],
        [`${path}/small`, 128],
      ] as const) {
        const picture = await fetch(`${issuer}${address}`)
        expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/webp'])
        expect(picture.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
        expect(picture.headers.get('x-content-type-options')).toBe('nosniff')
        const body = Buffer.from(await picture.arrayBuffer())
        const { width, height, format: kind, exif, icc, xmp } = await sharp(body).metadata()
        expect([width, height, kind, exif, icc, xmp]).toEqual([
          edge,
          edge,
          'webp',
          undefined,
          undefined,
          undefined,
        ])
        expect(body.includes('secret place')).toBe(false)
      }
    },
  )

  it('that lies on its side is set upright', async () => {
    const half = await sharp({ create: { width: 100, height: 100, channels: 3, background: 'white' } })
      .composite([
        { input: { create: { width: 100, height: 50, channels: 3, background: 'black' } }, top: 0, left: 0 },
      ])
      .withMetadata({ orientation: 3 })
      .jpeg()
      .toBuffer()
    await upload(visitor, await account(), half)
    const picture = await fetch(`${issuer}${addressIn(await account())}`)
    const { data, info } = await sharp(Buffer.from(await picture.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect(data[0]).toBeGreaterThan(200)
    expect(data[(info.height - 1) * info.width * info.channels]).toBeLessThan(50)
  })

  it('has an address that nobody can guess and that ends with it', async () => {
    await upload(visitor, await account(), await photograph())
    const before = addressIn(await account())
    await upload(visitor, await account(), await photograph())
    const after = addressIn(await account())
    expect(after).not.toBe(before)
    expect((await fetch(`${issuer}${before}`)).status).toBe(404)
    expect(await stored()).toHaveLength(1)
    for (const guess of [door.adaId, 'A'.repeat(22), 'A'.repeat(5_000), 'constructor'])
      expect((await fetch(`${issuer}/picture/${guess}`)).status).toBe(404)
    const page = await account()
    const removed = await visitor.submit(page, {}, { action: '/picture/remove' })
    expect(removed.status).toBe(303)
    expect((await account()).text).toContain('Your picture has been removed.')
    expect((await fetch(`${issuer}${after}`)).status).toBe(404)
    expect(await stored()).toHaveLength(0)
    expect((await visitor.submit(page, {}, { action: '/picture/remove' })).status).toBe(303)
  })

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
  const refused: Readonly<Record<string, () => Promise<Buffer> | Buffer>> = {
    nothing: () => Buffer.alloc(0),
    'an SVG document': () => Buffer.from(svg),
    'an SVG document that begins like a JPEG': () =>
      Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.from(svg)]),
    'an SVG document that begins like a PNG': () =>
      Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from(svg)]),
    'a page of HTML': () => Buffer.from('<!doctype html><script>alert(1)</script>'),
    'a GIF': () => photograph('gif'),
    'a TIFF': () => photograph('tiff'),
    'an AVIF': () => photograph('avif'),
    'a WebP that moves': () => moving(),
    'a JPEG cut off': async () => (await photograph('jpeg')).subarray(0, 300),
    'a PNG of 100 million pixels': () => claiming('png'),
    'a JPEG of 100 million pixels': () => claiming('jpeg'),
    'random bytes': () => Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 256)),
  }

  it.each(Object.entries(refused))('is not made of %s', async (_name, make) => {
    const page = await account()
    const before = await stored()
    const answer = await upload(visitor, page, await make())
    const text = await answer.text()
    expect(answer.status).toBe(400)
    expect(text).toContain('id="picture-error"')
    expect(await stored()).toEqual(before)
  })

  it.each(['png', 'jpeg'] as const)('of too many pixels is not even unfolded, as %s', async (format) => {
    const answer = await upload(visitor, await account(), await claiming(format))
    expect(await answer.text()).toContain('too many pixels')
  })

  it('is neither larger than allowed nor sent without a proper form', async () => {
    const page = await account()
    const { _csrf = '' } =
      formsOf(page).find(({ action }) => action.endsWith('/picture/upload'))?.fields ?? {}
    const large = Buffer.concat([await photograph(), Buffer.alloc(8 * 1024 * 1024)])
    expect((await upload(visitor, page, large)).status).toBe(413)
    expect((await upload(visitor, page, Buffer.concat([large, large]))).status).toBe(413)
    expect((await upload(newVisitor(), page, await photograph())).status).toBe(303)
    expect((await upload(visitor, page, await photograph(), { fields: { _csrf: 'x' } })).status).toBe(403)
    const boundary = { 'content-type': 'multipart/form-data; boundary=b' }
    const field = (name: string, value: string, more = '') =>
      `--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
    const bodies = [
      'nonsense',
      '--b\r\n\r\n',
      field('_csrf', _csrf),
      `${field('_csrf', _csrf)}--b`,
      `${field('_csrf', _csrf)}${field('_csrf', _csrf)}--b--\r\n`,
      `${field('_csrf', _csrf)}${field('a', '\0')}--b--\r\n`,
      `${field('_csrf', _csrf)}${field('a', 'x', '; filename="a"')}${field('b', 'y', '; filename="b"')}--b--\r\n`,
    ]
    for (const body of bodies) {
      const answer = await post(visitor, page, body, boundary)
      expect([body, answer.status]).toEqual([body, 400])
      expect(await answer.text()).not.toContain('id="picture-error"')
    }
    expect((await post(visitor, page, 'x', { 'content-type': 'multipart/form-data' })).status).toBe(400)
    const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await post(visitor, page, `_csrf=${_csrf}`, urlencoded)).status).toBe(415)
    const chosen = field('_csrf', _csrf) + field('picture', '', '; filename=""')
    expect((await post(visitor, page, `${chosen}--b--\r\n`, boundary)).status).toBe(400)
  })

  it('uses no more room elsewhere: other forms stay small and are text', async () => {
    const page = await account()
    const sent = new FormData()
    sent.set('name', 'x'.repeat(100_000))
    const answer = await fetch(`${issuer}/account/profile/names/save`, {
      method: 'POST',
      body: sent,
      headers: {
        origin: issuer,
        cookie: visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
    expect([page.status, answer.status]).toEqual([200, 413])
  })

  it('stays whole when many are sent at the same time', async () => {
    const page = await account()
    const file = await photograph()
    const answers = await Promise.all(Array.from({ length: 20 }, () => upload(visitor, page, file)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 303).length).toBeGreaterThan(0)
    expect(statuses.every((status) => status === 303 || status === 429)).toBe(true)
    expect(await stored()).toHaveLength(1)
  })
})

/** Two frames. */
async function moving(): Promise<Buffer> {
  const frame = { width: 20, height: 20, channels: 3 as const }
  const raw = Buffer.concat([Buffer.alloc(1_200, 0), Buffer.alloc(1_200, 255)])
  return await sharp(raw, { raw: { ...frame, height: 40, pageHeight: 20 } })
    .webp({ loop: 0, delay: [100, 100] })
    .toBuffer()
}

/** A picture that says to be 100 million pixels large. */
async function claiming(format: 'jpeg' | 'png'): Promise<Buffer> {
  const file = Buffer.from(await photograph(format))
  // The dimensions stand in IHDR (PNG §11.2.2, with a checksum) and in the frame header (JPEG, ITU-T T.81 B.2.2).
  if (format === 'png') {
    file.writeUInt32BE(10_000, 16)
    file.writeUInt32BE(10_000, 20)
    file.writeUInt32BE(crc32(file.subarray(12, 29)), 29)
    return file
  }
  const frame = file.indexOf(Buffer.from([0xff, 0xc0]))
  file.writeUInt16BE(10_000, frame + 5)
  file.writeUInt16BE(10_000, frame + 7)
  return file
}
