import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/application.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'

const anna = 'anna@example.test'
const get = (latchkey: RunningLatchkey, path: string) =>
  fetch(`${latchkey.issuer}${path}`, { redirect: 'manual' })

describe('the inbox of development mode', () => {
  let latchkey: RunningLatchkey
  beforeAll(async () => {
    latchkey = await startLatchkey()
  })
  afterAll(() => latchkey.close())

  const show = async (application: string) => {
    await latchkey.app.features.mail.mail.send({
      to: anna,
      template: 'email-code',
      model: { application, minutes: 5 },
      code: '271828',
      link: `${latchkey.issuer}/link/email-codes?token=abc`,
    })
    const mails = await latchkey.mails()
    const list = await (await get(latchkey, '/inbox')).text()
    const [, path = ''] = /href="(\/inbox\/[\w-]{36})"/.exec(list) ?? []
    return { mail: mails.at(-1), list, path }
  }

  it('is empty at first', async () => {
    const answer = await get(latchkey, '/inbox')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('No mail so far.')
    expect(answer.headers.get('cache-control')).toContain('no-store')
  })

  it('lists mails and shows one, with its code and its link', async () => {
    const { mail, list, path } = await show('Shop')
    expect(mail).toMatchObject({ to: anna, subject: 'Your code to sign in to Shop', code: '271828' })
    expect(mail?.link).toBe(`${latchkey.issuer}/link/email-codes?token=abc`)
    expect(list).toContain('Your code to sign in to Shop')
    expect(list).toContain(anna)
    const page = await (await get(latchkey, path)).text()
    expect(page).toContain('<code class="inbox-code">271828</code>')
    expect(page).toContain(`href="${latchkey.issuer}/link/email-codes?token=abc"`)
    expect(page).toContain(`<iframe class="inbox-frame" src="${path}/html" sandbox=`)
  })

  it('shows the HTML in a frame that runs, loads and sends nothing, and on no other site', async () => {
    const { path } = await show('<img src=x onerror=alert(1)>')
    const page = await get(latchkey, path)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain(`frame-src 'self'`)
    expect(policy).toContain(`default-src 'none'`)
    expect(policy).toContain(`frame-ancestors 'none'`)
    expect(await page.text()).not.toContain('<img src=x')

    const frame = await get(latchkey, `${path}/html`)
    const own = frame.headers.get('content-security-policy') ?? ''
    expect(own).toContain(`default-src 'none'`)
    expect(own).toContain(`frame-ancestors 'self'`)
    expect(own).toContain('sandbox allow-top-navigation-by-user-activation')
    expect(own).not.toMatch(/script-src|allow-scripts|allow-same-origin|allow-forms/)
    expect(frame.headers.get('cache-control')).toContain('no-store')
    expect(frame.headers.get('x-content-type-options')).toBe('nosniff')
    const html = await frame.text()
    expect(html).toContain('<base target="_top">')
    expect(html).not.toContain('<img src=x')
  })

  it.each([
    '/inbox/other',
    '/inbox/other/html',
    '/inbox/00000000-0000-0000-0000-000000000000',
    '/inbox/%00',
    '/inbox/a/b/c',
  ])('has nothing at %s', async (path) => {
    const { status } = await get(latchkey, path)
    expect([400, 404]).toContain(status)
  })

  it('takes nothing that is posted', async () => {
    const { status } = await fetch(`${latchkey.issuer}/inbox`, { method: 'POST', body: 'x=1' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })
})

it('is not there in production', async () => {
  await using latchkey = await startLatchkey({ environment: { LATCHKEY_ISSUER: 'http://localhost:3999' } })
  const door = { issuer: latchkey.issuer, port: latchkey.server.port }
  for (const path of ['/inbox', '/inbox/1', '/inbox/1/html']) {
    const { status } = await send(door, path)
    expect([status, path]).toEqual([404, path])
  }
  expect(await latchkey.mails()).toEqual([])
})

describe('the inbox of development mode', () => {
  it.each(['0.0.0.0', '::0'])('is served to no network: listening on %s there is none', async (address) => {
    await using latchkey = await startLatchkey({ environment: { LATCHKEY_LISTEN_ADDRESS: address } })
    expect(latchkey.app.features.mail.inbox).toBeUndefined()
    expect((await get(latchkey, '/inbox')).status).toBe(404)
  })

  it.each(['localhost', '127.0.0.1', '::'])('is there for this machine: listening on %s', async (address) => {
    await using latchkey = await startLatchkey({ environment: { LATCHKEY_LISTEN_ADDRESS: address } })
    expect(latchkey.app.features.mail.inbox).toBeDefined()
  })
})
