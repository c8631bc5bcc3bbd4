import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ada, grace, redirectUri } from '../support/front-door.ts'
import { codesOn, openSecondStep, type SecondStep } from '../support/second-step.ts'
import { newVisitor, type Page, type Visitor } from '../support/visitor.ts'

const atTheShop = (page: Page): boolean => page.location?.startsWith(`${redirectUri}?code=`) === true
const csrfOn = ({ text }: Page): string => /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''

let house: SecondStep
let own: Visitor
let key: string
let codes: readonly string[]
beforeEach(async () => {
  house = await openSecondStep()
  own = (await house.atAccount(ada)).visitor
  key = await house.addApp(own)
  codes = await house.makeCodes(own)
})
afterEach(() => house[Symbol.asyncDispose]())

describe('a lost phone', () => {
  const giveRecoveryCode = async (visitor: Visitor, code: string): Promise<Page> => {
    const page = await house.atSecondStep(visitor)
    expect(page.text).toContain('Use a recovery code')
    const form = await visitor.get(`${page.url}/recovery-code`)
    return await house.onward(visitor, await visitor.submit(form, { code }, { action: '/recovery-code' }))
  }

  it('is no obstacle to who has a recovery code, who is warned and told', async () => {
    const visitor = newVisitor()
    const warning = await giveRecoveryCode(visitor, ` ${codes[0]?.toLowerCase()} `)
    expect(warning.text).toContain('You have 9 recovery codes left')
    const done = await visitor.submit(warning, { choice: 'later' }, { action: '/then/recovery-codes' })
    expect(atTheShop(await house.onward(visitor, done))).toBe(true)
    const mails = await house.latchkey.mails()
    expect(mails.at(-1)?.text).toContain(
      'A recovery code was used to sign in to your account. 9 codes are left.',
    )
    expect(mails.at(-1)?.to).toBe(ada.email)
  })

  it('is no help to who has a code that was used, or somebody else’s', async () => {
    await giveRecoveryCode(newVisitor(), codes[0] ?? '')
    await house.latchkey.createUser(grace)
    const hers = await house.makeCodes((await house.atAccount(grace)).visitor)
    for (const code of [codes[0] ?? '', hers[0] ?? '']) {
      const visitor = newVisitor()
      const page = await giveRecoveryCode(visitor, code)
      expect([page.status, page.text.includes('This code is not right or was used already.')]).toEqual([
        401,
        true,
      ])
    }
  })

  it('ends with new codes where the person takes them, and not before he has saved them', async () => {
    const visitor = newVisitor()
    const warning = await giveRecoveryCode(visitor, codes[0] ?? '')
    const fresh = codesOn(warning)
    expect(fresh).toHaveLength(10)
    const unsaved = await visitor.submit(warning, { choice: 'replace' }, { action: '/then/recovery-codes' })
    expect([unsaved.status, unsaved.text.includes('saved-error')]).toEqual([400, true])
    expect(codesOn(unsaved)).toEqual(fresh)
    const reloaded = await visitor.follow(await visitor.get(warning.url))
    expect(codesOn(reloaded)).toEqual(fresh)
    const done = await visitor.submit(
      reloaded,
      { choice: 'replace', saved: 'yes' },
      { action: '/then/recovery-codes' },
    )
    expect(atTheShop(await house.onward(visitor, done))).toBe(true)
    expect((await giveRecoveryCode(newVisitor(), codes[1] ?? '')).status).toBe(401)
    expect((await giveRecoveryCode(newVisitor(), fresh[0] ?? '')).status).toBe(200)
  })

  it('leaves no recovery code in the log', async () => {
    await giveRecoveryCode(newVisitor(), codes[0] ?? '')
    await giveRecoveryCode(newVisitor(), codes[0] ?? '')
    const logged = house.latchkey.logged.join('\n')
    for (const code of codes) expect(logged).not.toContain(code)
  })
})

describe('the account of who has an authenticator app', () => {
  const rowOf = (email: string) =>
    house.latchkey.app.storage.db.totpAuthenticator.findFirstOrThrow({ where: { user: { email } } })
  const post = async (visitor: Visitor, path: string, fields: Readonly<Record<string, string>>) => {
    const page = await house.account(visitor, 'security/totp/add')
    return await visitor.post(`${house.latchkey.issuer}/account/security/${path}`, {
      _csrf: csrfOn(page),
      ...fields,
    })
  }

  it('lets him rename and remove it', async () => {
    const { id } = await rowOf(ada.email)
    const renaming = await house.account(own, `security/totp/rename?id=${id}`)
    const refused = await own.submit(renaming, { name: '' }, { action: '/rename' })
    expect([refused.status, refused.text.includes('Give the app a name.')]).toEqual([400, true])
    const renamed = await own.follow(await own.submit(refused, { name: 'Old phone' }, { action: '/rename' }))
    expect(renamed.text).toContain('<bdi>Old phone</bdi>')
    const removing = await house.account(own, `security/totp/remove?id=${id}`)
    expect(removing.text).toContain('Remove “Old phone”?')
    const removed = await own.follow(await own.submit(removing, {}, { action: '/remove' }))
    expect(removed.text).toContain('“Old phone” was removed.')
    // Nothing is left to ask for: recovery codes alone are no second step.
    expect(atTheShop(await house.atSecondStep(newVisitor()))).toBe(true)
  })

  it('lets nobody rename or remove the app of somebody else', async () => {
    await house.latchkey.createUser(grace)
    const { visitor: stranger } = await house.atAccount(grace)
    const { id } = await rowOf(ada.email)
    for (const id_ of [id, '', 'x'.repeat(300), '../../x'])
      for (const path of ['totp/rename', 'totp/remove'])
        expect((await post(stranger, path, { id: id_, name: 'Mine' })).status).toBe(404)
    for (const path of ['rename', 'remove'])
      expect((await house.account(stranger, `security/totp/${path}?id=${id}`)).status).toBe(404)
    expect((await rowOf(ada.email)).name).toBe('Phone')
  })

  it('changes nothing without a token of this browser', async () => {
    const { id } = await rowOf(ada.email)
    for (const path of ['totp/remove', 'totp/rename', 'totp/add', 'recovery-codes/make']) {
      const url = `${house.latchkey.issuer}/account/security/${path}`
      const fields = { id, name: 'Mine', code: house.codeNow(key), saved: 'yes' }
      expect((await own.post(url, fields)).status).toBe(403)
      expect((await own.post(url, fields, { origin: 'https://evil.test' })).status).toBe(403)
    }
    expect((await rowOf(ada.email)).name).toBe('Phone')
  })

  it('asks him who he is before it shows a key or codes, or removes anything, once a while has passed', async () => {
    const { id } = await rowOf(ada.email)
    const token = csrfOn(await house.account(own, 'security/totp/add'))
    house.clock.advance(3_600)
    for (const path of ['totp/add', `totp/remove?id=${id}`, 'recovery-codes/make']) {
      const page = await house.account(own, `security/${path}`)
      expect(page.status).toBeGreaterThanOrEqual(300)
      expect(page.location).toContain('/auth?')
    }
    for (const path of ['totp/add', 'totp/remove', 'recovery-codes/make']) {
      const fields = { _csrf: token, id, code: house.codeNow(key), name: 'Mine', saved: 'yes' }
      const posted = await own.post(`${house.latchkey.issuer}/account/security/${path}`, fields)
      expect([posted.status, posted.location?.includes('/auth?')]).toEqual([303, true])
    }
    expect(await house.latchkey.app.storage.db.totpAuthenticator.count()).toBe(1)
  })

  it('signs him out everywhere else when he adds or removes one', async () => {
    const other = newVisitor()
    const page = await house.atSecondStep(other)
    await house.onward(other, await other.submit(page, { code: house.codeNow(key) }, { action: '/totp' }))
    expect((await house.account(other, 'security')).status).toBe(200)
    const { id } = await rowOf(ada.email)
    await post(own, 'totp/remove', { id })
    expect((await house.account(other, 'security')).status).toBe(303)
    expect((await house.account(own, 'security')).status).toBe(200)
  })
})
