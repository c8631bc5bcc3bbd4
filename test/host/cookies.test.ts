import { describe, expect, it } from 'vitest'
import { ada, type FrontDoor, openFrontDoor } from '../support/front-door.ts'
import { newVisitor } from '../support/visitor.ts'
import { exchange } from '../support/wire.ts'

interface SetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: readonly string[]
}

const cookiesOf = (headers: Headers): readonly SetCookie[] =>
  headers.getSetCookie().map((line) => {
    const [pair = '', ...attributes] = line.split(/;\s*/)
    const [name = '', value = ''] = pair.split('=')
    return { name, value, attributes: attributes.map((each) => each.toLowerCase()) }
  })

describe('cookies', () => {
  /** A sign-in as a proxy would bring it to the server, and every cookie that it sets. */
  async function signIn(door: FrontDoor): Promise<readonly SetCookie[]> {
    const { issuer, server } = door.latchkey
    const { host, origin } = new URL(issuer)
    const jar = new Map<string, string>()
    const seen: SetCookie[] = []
    const send = async (method: string, url: string, body?: string) => {
      const { pathname, search } = new URL(url, issuer)
      const headers = [
        ['Cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; ')],
        ['Accept', 'text/html'],
        ...(body === undefined
          ? []
          : [
              ['Content-Type', 'application/x-www-form-urlencoded'],
              ['Origin', origin],
            ]),
      ] as [string, string][]
      const answer = await exchange(server.port, {
        method,
        target: pathname + search,
        host,
        headers,
        ...(body === undefined ? {} : { body }),
      })
      for (const cookie of cookiesOf(answer.headers)) {
        seen.push(cookie)
        if (cookie.value !== '') jar.set(cookie.name, cookie.value)
      }
      return answer
    }
    const begun = await send('GET', door.authorizationUrl())
    const path = begun.headers.get('location') ?? ''
    const form = await send('GET', path)
    const token = /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? ''
    const answer = await send(
      'POST',
      `${path}/password`,
      new URLSearchParams({ _csrf: token, identifier: ada.email, password: ada.password }).toString(),
    )
    expect(answer.status).toBe(303)
    const resumed = await send('GET', answer.headers.get('location') ?? '')
    expect(resumed.headers.get('location')).toMatch(/^http:\/\/localhost:9999\/callback\?code=/)
    return seen.filter(({ value }) => value !== '')
  }

  const path = ({ attributes }: SetCookie): string =>
    attributes.find((each) => each.startsWith('path='))?.slice(5) ?? ''

  it('are bound to the host and to https under an https issuer', async () => {
    await using door = await openFrontDoor({ environment: { LATCHKEY_ISSUER: 'https://id.example.test' } })
    const cookies = await signIn(door)
    const names = new Set(cookies.map(({ name }) => name.replace(/\.sig$/, '')))
    expect([...names].toSorted()).toEqual([
      '__Host-latchkey_csrf',
      '__Host-latchkey_device',
      '__Host-latchkey_session',
      '__Secure-latchkey_interaction',
      '__Secure-latchkey_resume',
    ])
    for (const cookie of cookies) {
      expect(cookie.attributes, cookie.name).toEqual(
        expect.arrayContaining(['secure', 'httponly', 'samesite=lax']),
      )
      expect(cookie.attributes.some((each) => each.startsWith('domain='))).toBe(false)
      if (cookie.name.startsWith('__Host-')) expect(path(cookie)).toBe('/')
      if (cookie.name.startsWith('__Secure-latchkey_interaction'))
        expect(path(cookie)).toMatch(/^\/interaction\/[\w-]{21,}$/)
      if (cookie.name.startsWith('__Secure-latchkey_resume'))
        expect(path(cookie)).toMatch(/^\/auth\/[\w-]{21,}$/)
    }
  })

  it('have plain names on http://localhost only, and are as strict otherwise', async () => {
    await using door = await openFrontDoor()
    const cookies = await signIn(door)
    expect([...new Set(cookies.map(({ name }) => name.replace(/\.sig$/, '')))].toSorted()).toEqual([
      'latchkey_csrf',
      'latchkey_device',
      'latchkey_interaction',
      'latchkey_resume',
      'latchkey_session',
    ])
    for (const cookie of cookies) {
      expect(cookie.attributes, cookie.name).toEqual(expect.arrayContaining(['httponly', 'samesite=lax']))
      expect(cookie.attributes).not.toContain('secure')
    }
    expect(
      path(
        cookies.find(({ name }) => name === 'latchkey_interaction') ?? {
          name: '',
          value: '',
          attributes: [],
        },
      ),
    ).toMatch(/^\/interaction\//)
  })

  it('of the protocol do not hold when they are changed', async () => {
    await using door = await openFrontDoor()
    const visitor = newVisitor()
    const form = await door.begin(visitor)
    const forged = newVisitor(
      visitor.cookies.map((cookie) =>
        cookie.name === 'latchkey_interaction.sig'
          ? { ...cookie, value: `${cookie.value.slice(0, -1)}${cookie.value.endsWith('A') ? 'B' : 'A'}` }
          : cookie,
      ),
    )
    expect((await visitor.get(form.url)).status).toBe(200)
    expect((await forged.get(form.url)).status).toBe(403)
  })
})
