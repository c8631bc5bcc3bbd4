import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { register, walk } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { strictCallback } from '../support/strict-party.ts'
import { newVisitor, type Visitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }

describe('a sign-in that begins here (OpenID Connect Core 1.0 §4)', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
    await latchkey.createUser(ada)
  })
  afterAll(() => latchkey.close())

  /** Where the names on the page of connected applications lead. */
  const applicationsOf = async (visitor: Visitor): Promise<string> =>
    (await visitor.follow(await visitor.get(`${latchkey.issuer}/account/applications`))).text
  const connected = async (input: Readonly<Record<string, unknown>>) => {
    const shop = await register(latchkey, { firstParty: true, redirectUris: [strictCallback], ...input })
    const visitor = newVisitor()
    const ask = async () => {
      const { params } = await shop.begin({ redirect_uri: strictCallback })
      return await visitor.get(`${latchkey.issuer}/auth?${new URLSearchParams(params)}`)
    }
    await walk(visitor, await ask(), ada)
    return { visitor, ask }
  }

  it('is offered on the account page, and tells the application who asks', async () => {
    const initiateLoginUri = 'https://app.example.test/login?from=list'
    const { visitor, ask } = await connected({ name: 'Notes', initiateLoginUri })
    const page = await applicationsOf(visitor)
    const [, link = ''] = /<a href="(https:\/\/app\.example\.test\/login[^"]*)"/.exec(page) ?? []
    const uri = new URL(link.replaceAll('&amp;', '&'))
    expect(Object.fromEntries(uri.searchParams)).toEqual({ from: 'list', iss: latchkey.issuer })
    // The application asks for a sign-in of its own then, which the session here answers at once.
    expect((await ask()).location).toContain(`${strictCallback}?code=`)
  })

  it('gives way to nothing that the application wrote into its own address', async () => {
    const initiateLoginUri = 'https://app.example.test/begin?iss=https%3A%2F%2Fevil.test'
    const { visitor } = await connected({ name: 'Sly', initiateLoginUri })
    const page = await applicationsOf(visitor)
    expect(page).toContain(`https://app.example.test/begin?iss=${encodeURIComponent(latchkey.issuer)}`)
    expect(page).not.toContain('evil.test')
  })

  it('is not offered where the application has no place for it: its home page is', async () => {
    const { visitor } = await connected({ name: 'Plain', clientUri: 'https://plain.example.test/' })
    expect(await applicationsOf(visitor)).toContain('<a href="https://plain.example.test/" rel="noreferrer">')
  })

  it.each([
    'http://app.example.test/login',
    'javascript:alert(1)',
    'https://me:you@app.example.test/',
    '/login',
  ])('cannot begin at %s', async (initiateLoginUri) => {
    await expect(register(latchkey, { initiateLoginUri })).rejects.toMatchObject({ code: 'input.invalid' })
  })
})
