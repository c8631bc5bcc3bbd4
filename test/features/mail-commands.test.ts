import { describe, expect, it } from 'vitest'
import { openPost } from '../support/post.ts'
import { elsewhere, type SmtpOptions, startSmtpServer } from '../support/smtp-server.ts'

const anna = 'anna@example.test'

/** What `mail test` says of a server that behaves as told. */
async function tryOut(server: SmtpOptions, { host = '127.0.0.1', scheme = 'smtp', login = '' } = {}) {
  await using smtp = await startSmtpServer(server)
  const smtpUrl = `${scheme}://${login}${host}:${smtp.port}`
  await using post = await openPost({ development: false, mail: { smtpUrl, timeoutSeconds: 1 } })
  const answer = await post.command('mail test', { to: anna }).then(
    ({ text }) => text,
    (error: Error) => error.message,
  )
  return {
    answer: answer.replaceAll(String(smtp.port), 'PORT'),
    received: smtp.received,
    queue: await post.queue(),
  }
}

describe('mail test', () => {
  it('sends one mail at once, past the queue', async () => {
    const { answer, received, queue } = await tryOut({ user: 'me', password: 'pw' }, { login: 'me:pw@' })
    expect(answer).toBe('127.0.0.1:PORT has taken the mail to anna@example.test.')
    expect(received.map(({ to }) => to)).toEqual([[anna]])
    expect(queue).toEqual([])
  })

  it.each<[string, Parameters<typeof tryOut>, RegExp]>([
    [
      'a wrong password',
      [{ user: 'me', password: 'pw' }, { login: 'me:no@' }],
      /refuses the user name or the password of LATCHKEY_MAIL_SMTP_URL: 535/,
    ],
    ['a missing password', [{ user: 'me', password: 'pw' }], /wants a user name and a password/],
    [
      'a certificate of its own',
      [{ tls: 'starttls' }, { host: elsewhere }],
      /certificate of 0\.0\.0\.0:PORT cannot be trusted .*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'no encryption',
      [{ tls: 'none' }, { host: elsewhere }],
      /does not upgrade the connection to TLS .*smtps:\/\//,
    ],
    [
      'TLS where there is none',
      [{ tls: 'none' }, { scheme: 'smtps' }],
      /does not speak TLS from the start; use smtp:\/\//,
    ],
    [
      'a sender that is not allowed',
      [{ refuse: { sender: { code: 553, text: 'Not yours' } } }],
      /refuses the sender; check LATCHKEY_MAIL_FROM: 553 Not yours/,
    ],
    [
      'a relay that is denied',
      [{ refuse: { recipient: { code: 554, text: '5.7.1 Relay access denied' } } }],
      /refuses the mail for good: 554 5\.7\.1 Relay access denied/,
    ],
    ['silence', [{ hang: 'connect' }], /127\.0\.0\.1:PORT did not answer in time/],
  ])('says in plain words what is wrong: %s', async (_what, [server, sending], words) => {
    const { answer, received } = await tryOut(server, sending)
    expect(answer).toMatch(words)
    expect(received).toEqual([])
  })

  it('says so where nobody listens and where there is no such host', async () => {
    await using silent = await openPost({ development: false, mail: { smtpUrl: 'smtp://127.0.0.1:1' } })
    await expect(silent.command('mail test', { to: anna })).rejects.toThrow('Nobody listens at 127.0.0.1:1')
    await using unknown = await openPost({
      development: false,
      mail: { smtpUrl: 'smtp://mail.invalid:25', timeoutSeconds: 5 },
    })
    await expect(unknown.command('mail test', { to: anna })).rejects.toThrow(/no host named mail\.invalid/)
  })

  it('says what becomes of mails in development mode, and in production without a server', async () => {
    await using development = await openPost()
    const { text, json } = await development.command('mail test', { to: anna })
    expect(text).toContain('https://id.example.test/inbox')
    expect(json).toEqual({ sent: false, inbox: 'https://id.example.test/inbox' })
    await using production = await openPost({ development: false })
    await expect(production.command('mail test', { to: anna })).rejects.toMatchObject({
      code: 'mail.no_server',
    })
  })

  it('takes one address and nothing else', async () => {
    await using post = await openPost()
    await expect(post.command('mail test', { to: `${anna}\nBcc: eve@example.test` })).rejects.toMatchObject({
      code: 'mail.bad_address',
    })
  })
})

describe('mail queue and mail retry', () => {
  it('show what waits and why, and send it again at once', async () => {
    const refuse = { recipient: { code: 550, text: 'No such user' } }
    await using smtp = await startSmtpServer({ refuse, refusedRecipients: [anna] })
    const { port } = smtp
    await using post = await openPost({ development: false, mail: { smtpUrl: `smtp://127.0.0.1:${port}` } })
    expect(await post.command('mail queue')).toEqual({ text: 'Nothing waits.', json: [] })
    expect((await post.command('mail retry')).text).toBe('Nothing waits.')
    await post.mail.send({ to: anna, template: 'test', code: '271828' })
    await post.deliver()
    await smtp.stop()
    post.clock.advance(1)
    await post.mail.send({ to: 'bert@example.test', template: 'test' })
    await post.deliver()

    const { text, json } = await post.command('mail queue')
    const [refused, waiting] = json as { id: string; nextAt: Date | null }[]
    expect(refused).toMatchObject({ to: anna, state: 'given up', attempts: 1, nextAt: null })
    expect(waiting).toMatchObject({
      to: 'bert@example.test',
      template: 'test',
      state: 'waiting',
      attempts: 1,
    })
    expect(text).toContain(`${refused?.id}  given up  test to anna@example.test`)
    expect(text).toContain('No such user')
    expect(text).toContain(`tried once, next at ${waiting?.nextAt?.toISOString()}`)
    expect(JSON.stringify({ text, json })).not.toContain('271828')

    await using back = await startSmtpServer({ port })
    expect((await post.command('mail retry', { id: refused?.id })).json).toEqual({ due: 1 })
    await post.deliver()
    expect(back.received.map(({ to }) => to)).toEqual([[anna]])
    expect((await post.command('mail retry')).text).toBe(
      'One mail is due now; a running server sends them within seconds.',
    )
    await post.deliver()
    expect(back.received.length).toBe(2)
    await expect(post.command('mail retry', { id: refused?.id })).rejects.toMatchObject({
      code: 'mail.unknown',
    })
  })
})
