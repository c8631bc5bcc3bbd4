/** Passkeys over HTTP, with an authenticator in software: what a browser sends, and what none would. */
import { describe, expect, it } from 'vitest'
import { newAuthenticator, type SoftwareAuthenticator } from '../support/authenticator.ts'
import {
  type ada,
  auditOf,
  disableUser,
  type FrontDoor,
  grace,
  interactionPath,
  openFrontDoor,
  redirectUri,
} from '../support/front-door.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

/** What the page hands to its script. */
const optionsOn = ({ text, url }: Page, ceremony: 'get' | 'create' = 'get'): string => {
  const tag = new RegExp(`<(?:form|div)[^>]*data-passkey="${ceremony}"[^>]*>`).exec(text)?.[0] ?? ''
  const options = /data-options="([^"]*)"/.exec(tag)?.[1]
  if (options === undefined) throw new Error(`No passkey is asked for on ${url}: ${text.slice(0, 2_000)}`)
  return options.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&#39;', "'")
}

const at = ({ latchkey }: FrontDoor) => ({ origin: latchkey.issuer })

/** A page of the account, for somebody signed in. */
const account = (door: FrontDoor, visitor: Visitor, path: string): Promise<Page> =>
  visitor.get(`${door.latchkey.issuer}/account/security${path}`)

const add = async (door: FrontDoor, visitor: Visitor, device: SoftwareAuthenticator): Promise<Page> => {
  const page = await account(door, visitor, '/passkeys/add')
  const credential = device.create(optionsOn(page, 'create'), at(door))
  return await visitor.submit(page, { credential }, { action: '/passkeys/add' })
}

const withPasskey = async (options: Parameters<typeof openFrontDoor>[0] = {}) => {
  const door = await openFrontDoor(options)
  const device = newAuthenticator()
  const owner = await door.signedIn()
  // On to a way out for who loses it.
  const added = await add(door, owner, device)
  expect(added.location).toBe(`${door.latchkey.issuer}/account/security/recovery-codes/make`)
  return { door, device, owner, [Symbol.asyncDispose]: () => door[Symbol.asyncDispose]() }
}

const answer = async (visitor: Visitor, page: Page, credential: string): Promise<Page> =>
  await visitor.submit(page, { credential }, { action: '/passkey' })

/** What a request says that is not content with a password. */
const more = { acr_values: 'urn:latchkey:acr:multi-factor' }

describe('a passkey', () => {
  it('is added on the account page, told by mail, and listed', async () => {
    await using home = await withPasskey()
    const { door, owner } = home
    const page = await account(door, owner, '')
    expect(page.status).toBe(200)
    expect(page.text).toContain('On one device only')
    const mails = await door.latchkey.mails()
    expect(mails.map(({ subject, text }) => `${subject} ${text}`).join()).toContain(
      'was added to your account',
    )
  })

  it('signs its owner in without a user name', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    expect(page.text).toContain('autocomplete="username webauthn"')
    expect(page.text).toContain('data-autofill')
    const end = await visitor.follow(await answer(visitor, page, device.get(optionsOn(page), at(door))))
    expect(end.location).toContain(`${redirectUri}?code=`)
    const signedIn = (await auditOf(door.latchkey)).filter(({ action }) => action === 'login.signed_in')
    expect(signedIn.at(-1)).toMatchObject({ userId: door.adaId, clientId: door.client.id })
  })

  it('is a second factor after the password, where more is asked for than the password', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    const visitor = newVisitor()
    const second = await door.signIn(visitor, more)
    expect(interactionPath(second)).toBeTruthy()
    const asked = JSON.parse(optionsOn(second))
    expect(asked.allowCredentials).toMatchObject([{ id: device.passkeys[0]?.id }])
    const end = await visitor.follow(await answer(visitor, second, device.get(optionsOn(second), at(door))))
    expect(end.location).toContain(`${redirectUri}?code=`)
  })

  it('works no more once it is removed', async () => {
    await using home = await withPasskey()
    const { door, device, owner } = home
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    const id = device.passkeys[0]?.id ?? ''
    const form = await account(door, owner, `/passkeys/remove?id=${id}`)
    await owner.submit(form, {}, { action: `/passkeys/remove?id=${id}` })
    const refused = await answer(visitor, page, device.get(optionsOn(page), at(door)))
    expect(refused.status).toBe(401)
    expect(refused.text).toContain('This passkey was not accepted')
    expect((await account(door, owner, '')).text).not.toContain('On one device only')
  })
})

describe('what must not sign anybody in', () => {
  const refusal = async (
    door: FrontDoor,
    visitor: Visitor,
    page: Page,
    credential: string,
  ): Promise<string> => {
    const refused = await answer(visitor, page, credential)
    expect([400, 401]).toContain(refused.status)
    expect(refused.text).toContain('role="alert"')
    const home = await visitor.get(`${door.latchkey.issuer}/account`)
    expect(home.status).not.toBe(200)
    return refused.text
  }

  it('is an assertion that was sent before, in the same browser or another', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    const credential = device.get(optionsOn(page), at(door))
    const end = await visitor.follow(await answer(visitor, page, credential))
    expect(end.location).toContain('code=')
    const thief = newVisitor()
    await refusal(door, thief, await door.begin(thief), credential)
    // The page that was used leads nowhere a second time.
    const again = await visitor.follow(await answer(visitor, page, credential))
    expect(again.location ?? '').not.toContain('evil')
    const proofs = (await auditOf(door.latchkey)).filter(({ action }) => action === 'passkeys.proved')
    expect(proofs).toHaveLength(1)
  })

  it('is one from another origin, for another domain, without user verification', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    for (const lie of [
      { origin: 'https://evil.test' },
      { ...at(door), rpId: 'evil.test' },
      { ...at(door), userVerified: false },
    ]) {
      const visitor = newVisitor()
      const page = await door.begin(visitor)
      await refusal(door, visitor, page, device.get(optionsOn(page), lie))
    }
  })

  it('is one for the page of another browser', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    const [victim, attacker] = [newVisitor(), newVisitor()]
    const seen = await door.begin(victim)
    const credential = device.get(optionsOn(seen), at(door))
    await refusal(door, attacker, await door.begin(attacker), credential)
    // Nor does the other browser's own address help.
    const stolen = await attacker.post(`${door.latchkey.issuer}${interactionPath(seen)}/passkey`, {
      credential,
      _csrf: 'x',
    })
    expect(stolen.status).toBe(403)
  })

  it('is one of somebody else after the first factor', async () => {
    await using home = await withPasskey()
    const { door } = home
    await door.latchkey.createUser(grace)
    const attacker = newVisitor()
    const stranger = newAuthenticator()
    const graceVisitor = await signedInAs(door, grace)
    await add(door, graceVisitor, stranger)
    const second = await door.signIn(attacker, more)
    const options = JSON.stringify({ ...JSON.parse(optionsOn(second)), allowCredentials: [] })
    await refusal(door, attacker, second, stranger.get(options, at(door)))
  })

  it('is one of a disabled user', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    await disableUser(door.latchkey, door.adaId)
    await refusal(door, visitor, page, device.get(optionsOn(page), at(door)))
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a credential with a NUL in it', '{"id":"\\u0000","type":"public-key","response":{}}'],
    ['forty thousand characters', 'A'.repeat(40_000)],
    ['ten thousand brackets', '['.repeat(10_000) + ']'.repeat(10_000)],
  ])('is %s, and the page says so', async (_name, credential) => {
    await using door = await openFrontDoor()
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    const refused = await answer(visitor, page, credential)
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('role="alert"')
    expect(optionsOn(refused)).not.toBe(optionsOn(page))
  })

  it.each([
    ['a NUL', 'credential=%00'],
    ['a form without the field', ''],
    ['a field given twice', 'credential=1&credential=2'],
  ])('is %s', async (_name, body) => {
    await using door = await openFrontDoor()
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    const token = /name="_csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    const response = await fetch(`${door.latchkey.issuer}${interactionPath(page)}/passkey`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: door.latchkey.issuer,
        cookie: visitor.cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
      body: `_csrf=${encodeURIComponent(token)}&${body}`,
    })
    expect(response.status).toBe(400)
  })

  it('is an enrolment for the session of somebody else', async () => {
    await using home = await withPasskey()
    const { door, owner } = home
    await door.latchkey.createUser(grace)
    const other = await signedInAs(door, grace)
    const page = await account(door, owner, '/passkeys/add')
    const credential = newAuthenticator().create(optionsOn(page, 'create'), at(door))
    const own = await account(door, other, '/passkeys/add')
    const refused = await other.submit(own, { credential }, { action: '/passkeys/add' })
    expect(refused.status).toBe(400)
    expect(await door.latchkey.app.storage.db.passkey.count()).toBe(1)
  })
})

describe('twenty identical answers at the same time', () => {
  it('give one proof', async () => {
    await using home = await withPasskey()
    const { door, device } = home
    const visitor = newVisitor()
    const page = await door.begin(visitor)
    const credential = device.get(optionsOn(page), at(door))
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => answer(visitor.clone(), page, credential)),
    )
    expect(pages.filter(({ status }) => status >= 500)).toEqual([])
    const proofs = (await auditOf(door.latchkey)).filter(({ action }) => action === 'passkeys.proved')
    expect(proofs).toHaveLength(1)
  })
})

describe('related origins', () => {
  it('are published where browsers look them up, and nothing is there without them', async () => {
    await using door = await openFrontDoor({
      environment: { LATCHKEY_PASSKEYS_RELATED_ORIGINS: 'https://id.example.org' },
    })
    const response = await fetch(`${door.latchkey.issuer}/.well-known/webauthn`)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toEqual({ origins: [door.latchkey.issuer, 'https://id.example.org'] })
    await using plain = await openFrontDoor()
    expect((await fetch(`${plain.latchkey.issuer}/.well-known/webauthn`)).status).toBe(404)
  })
})

async function signedInAs(door: FrontDoor, { email, password }: typeof ada): Promise<Visitor> {
  const visitor = newVisitor()
  const { issuer } = door.latchkey
  const params = new URLSearchParams({
    client_id: 'latchkey',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/`,
  })
  const form = await visitor.follow(await visitor.get(`${issuer}/auth?${params}`))
  const next = await visitor.follow(
    await visitor.submit(form, { identifier: email, password }, { action: '/password' }),
  )
  if (next.text.includes('passkey-offer'))
    await visitor.follow(await visitor.submit(next, { answer: 'later' }, { action: '/passkey-offer' }))
  return visitor
}
