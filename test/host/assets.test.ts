import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'
import { exchange } from '../support/wire.ts'

let door: FrontDoor
let stylesheet: string
beforeAll(async () => {
  door = await openFrontDoor()
  const { text } = await door.begin(newVisitor())
  stylesheet = /href="(\/assets\/latchkey\.[0-9a-f]{8}\.css)"/.exec(text)?.[1] ?? ''
})
afterAll(async () => await door[Symbol.asyncDispose]())

const ask = async (headers: Readonly<Record<string, string>>, target = stylesheet) =>
  await exchange(door.latchkey.server.port, {
    target,
    host: new URL(door.latchkey.issuer).host,
    headers: Object.entries(headers),
  })

const bodyOf = (raw: string): Buffer => Buffer.from(raw.slice(raw.indexOf('\r\n\r\n') + 4), 'latin1')

describe('an asset', () => {
  it.each([
    ['brotli where the browser takes it', 'gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip where that is the best', 'gzip, deflate', 'gzip', gunzipSync],
    ['nothing where brotli is refused and gzip not named', 'br;q=0', null, (body: Buffer) => body],
    ['nothing where nothing is named', '', null, (body: Buffer) => body],
  ])('is compressed by %s', async (_, accepted, encoding, open) => {
    const answer = await ask({ 'Accept-Encoding': accepted })
    expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, encoding])
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
    expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8')
    const plain = await ask({})
    expect(open(bodyOf(answer.raw)).equals(bodyOf(plain.raw))).toBe(true)
  })

  it('has a tag for each encoding, and is not sent again to whoever has it', async () => {
    const tags = await Promise.all(
      ['br', 'gzip', 'identity'].map(
        async (encoding) => (await ask({ 'Accept-Encoding': encoding })).headers.get('etag') ?? '',
      ),
    )
    expect(new Set(tags).size).toBe(3)
    const again = await ask({ 'Accept-Encoding': 'br', 'If-None-Match': tags[0] ?? '' })
    expect([again.status, again.text]).toEqual([304, ''])
    expect((await ask({ 'Accept-Encoding': 'gzip', 'If-None-Match': tags[0] ?? '' })).status).toBe(200)
  })

  it('is compressed once, however many ask', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ 'Accept-Encoding': 'br' })))
    expect(new Set(answers.map(({ raw }) => bodyOf(raw).toString('latin1'))).size).toBe(1)
  })
})

describe('a page', () => {
  it('is never compressed, as its length would tell of the token in it', async () => {
    const answer = await ask({ 'Accept-Encoding': 'gzip, br', Accept: 'text/html' }, '/signed-out')
    expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, null])
  })

  it('says in which language it is, and that it depends on what the browser prefers', async () => {
    const german = await newVisitor().get(`${door.latchkey.issuer}/signed-out`, {
      'Accept-Language': 'de-AT',
    })
    expect(german.headers.get('content-language')).toBe('de')
    expect(german.headers.get('vary')).toContain('Accept-Language')
    expect(german.text).toContain('<html lang="de" dir="ltr">')
    const arabic = await newVisitor().get(`${door.latchkey.issuer}/nowhere`, {
      'Accept-Language': 'ar',
      Accept: 'text/html',
    })
    expect([arabic.status, arabic.headers.get('content-language')]).toEqual([404, 'ar'])
    expect(arabic.text).toContain('<html lang="ar" dir="rtl">')
  })
})
