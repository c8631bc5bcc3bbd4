import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type EmailCodes, ended, linkEnded, openEmailCodes, visit, wrong } from '../support/email-codes.ts'

describe('links that prove who somebody is', () => {
  let codes: EmailCodes
  beforeAll(async () => {
    codes = await openEmailCodes()
  })
  afterAll(() => codes[Symbol.asyncDispose]())
  beforeEach(() => codes.next())

  const asked = async () => {
    const user = await codes.person()
    const one = codes.attempt('one')
    await codes.start(one, { identifier: codes.own('ada') })
    return { user, one, token: await codes.token(), code: await codes.code() }
  }

  it('lead into the waiting sign-in where it was begun, and prove it there', async () => {
    const { user, one, token } = await asked()
    const page = await codes.link.show(token, visit('device of one'))
    expect(page.title.key).toBe('email-codes.here-title')
    expect(page.view.model).toMatchObject({ application: 'Latchkey' })
    expect((await codes.factor.show?.(one))?.template).toBe('email-codes/factor')
    expect(JSON.stringify(page)).not.toContain(await codes.code())
    expect(await codes.link.finish(token, {}, visit('device of one'))).toEqual({
      to: `${one.path}/email-code`,
    })
    expect(await codes.factor.show?.(one)).toEqual({ template: 'email-codes/opened', model: { token } })
    expect((await codes.factor.finish(one, { token })).userId).toBe(user.id)
    await expect(codes.factor.finish(one, { token })).rejects.toThrow(ended)
    await expect(codes.link.show(token, visit('device of one'))).rejects.toThrow(linkEnded)
  })

  it('are asked for anew after a refusal: the page that sends itself does so once', async () => {
    const { one, token } = await asked()
    await codes.link.finish(token, {}, visit('device of one'))
    await expect(codes.factor.finish(one, { token: 'b'.repeat(43) })).rejects.toThrow(wrong)
    expect((await codes.factor.show?.(one))?.template).toBe('email-codes/factor')
  })

  it('show the code in any other browser, and what began the sign-in, and lead nowhere', async () => {
    const { one, token, code } = await asked()
    for (const device of ['another device', '']) {
      const page = await codes.link.show(token, visit(device))
      expect(page.title.key).toBe('email-codes.elsewhere-title')
      expect(page.view.model).toEqual({
        application: 'Latchkey',
        at: codes.clock.now(),
        code,
        place: { key: 'email-codes.browser-on', params: { browser: 'Chrome', system: 'Windows' } },
      })
      expect(await codes.link.finish(token, {}, visit(device))).toEqual(page)
    }
    expect(JSON.stringify(await codes.link.show(token, visit('another device')))).not.toContain(one.path)
    await codes.factor.finish(one, { code })
  })

  it('are not changed by being opened, however often', async () => {
    const { one, token, code } = await asked()
    for (let times = 0; times < 10; times += 1) await codes.link.show(token, visit('a scanner'))
    await codes.factor.finish(one, { code })
  })

  it('end with the code', async () => {
    const { one, token, code } = await asked()
    await codes.factor.finish(one, { code })
    await expect(codes.link.show(token, visit('device of one'))).rejects.toThrow(linkEnded)
    await expect(codes.link.finish(token, {}, visit('device of one'))).rejects.toThrow(linkEnded)
  })

  it.each(['', '\0', 'a'.repeat(43), 'a'.repeat(100_000)])(
    'are of no use with a made-up token',
    async (token) => {
      await expect(codes.link.show(token, visit('x'))).rejects.toThrow(linkEnded)
      await expect(codes.link.finish(token, {}, visit('x'))).rejects.toThrow(linkEnded)
    },
  )
})
