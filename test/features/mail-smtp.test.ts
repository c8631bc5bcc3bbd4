import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openPost, type PostOptions } from '../support/post.ts'
import {
  certificate,
  elsewhere,
  type SmtpOptions,
  type SmtpServer,
  startSmtpServer,
} from '../support/smtp-server.ts'

const anna = 'anna@example.test'

interface Sending {
  readonly host?: string
  readonly scheme?: 'smtp' | 'smtps'
  readonly login?: string
  readonly mail?: PostOptions['mail']
}

/** In production, against a server that behaves as told. */
const postTo = (
  { port }: Pick<SmtpServer, 'port'>,
  { host = '127.0.0.1', scheme = 'smtp', login = '', mail }: Sending = {},
) =>
  openPost({
    development: false,
    mail: { smtpUrl: `${scheme}://${login}${host}:${port}`, timeoutSeconds: 1, ...mail },
  })

/** One mail and what came of it. */
async function attempt(server: SmtpOptions, sending: Sending = {}) {
  await using smtp = await startSmtpServer(server)
  await using post = await postTo(smtp, sending)
  await post.mail.send({ to: anna, template: 'test' })
  await post.deliver()
  return {
    received: smtp.received,
    waiting: await post.queue(),
    logged: inspect(post.log.lines, { depth: 20, showHidden: true }),
  }
}

/** For as long as the work takes, the server's certificate is one that everybody trusts. */
async function trusting<T>(work: () => Promise<T>): Promise<T> {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, certificate])
  try {
    return await work()
  } finally {
    setDefaultCACertificates(before)
  }
}

describe('a mail', () => {
  it('arrives as text and HTML, marked as automatic, and says nothing of lists', async () => {
    const { received, waiting } = await attempt(
      {},
      { mail: { replyTo: 'help@example.test', fromName: 'Ünïcode, Inc. <x@evil.test>' } },
    )
    const [mail] = received
    expect(waiting).toEqual([])
    expect(received.length).toBe(1)
    expect(mail).toMatchObject({ from: 'no-reply@id.example.test', to: [anna] })
    const { parsed, source = '' } = mail ?? {}
    expect(parsed?.from?.value).toEqual([
      { address: 'no-reply@id.example.test', name: 'Ünïcode, Inc. <x@evil.test>' },
    ])
    expect(parsed?.to).toMatchObject({ value: [{ address: anna, name: '' }] })
    expect(parsed?.replyTo?.value).toEqual([{ address: 'help@example.test', name: '' }])
    expect(parsed?.headers.get('auto-submitted')).toBe('auto-generated')
    expect(parsed?.date?.toISOString()).toBe('2026-01-01T12:00:00.000Z')
    expect(parsed?.messageId).toMatch(/^<[\w-]{36}@id\.example\.test>$/)
    expect(parsed?.text).toContain('has arrived')
    expect(parsed?.html).toContain('has arrived')
    expect([...(parsed?.headers.keys() ?? [])].filter((name) => name.startsWith('list'))).toEqual([])
    const head = source.slice(0, source.indexOf('\r\n\r\n'))
    expect(head).toMatch(/^[\x20-\x7e\r\n]*$/)
    expect(head).not.toMatch(/nodemailer/i)
  })

  it('keeps its Message-ID through all attempts, so that one that arrives twice is known as one', async () => {
    await using smtp = await startSmtpServer({ refuse: { message: { code: 451, text: 'later' } } })
    await using post = await postTo(smtp)
    await post.mail.send({ to: anna, template: 'test' })
    await post.deliver()
    const { port } = smtp
    await smtp.stop()
    await using back = await startSmtpServer({ port })
    const [waiting] = await post.queue()
    post.clock.advance(60)
    await post.deliver()
    const id = (waiting?.payload as { id: string } | undefined)?.id
    expect(back.received.map(({ parsed }) => parsed.messageId)).toEqual([`<${id}@id.example.test>`])
    expect(back.received[0]?.parsed.date?.toISOString()).toBe('2026-01-01T12:00:00.000Z')
  })

  it('puts nothing of a name into a header that could end it', async () => {
    await using smtp = await startSmtpServer()
    await using post = await postTo(smtp)
    const application = 'Shop\r\nBcc: eve@example.test\r\n\r\n<b>Hello</b>\u2028Ünï'
    await post.mail.send({
      to: anna,
      template: 'email-code',
      model: { application, minutes: 5 },
      code: '123456',
    })
    await post.deliver()
    const [mail] = smtp.received
    expect(mail?.to).toEqual([anna])
    expect([...(mail?.parsed.headers.keys() ?? [])]).not.toContain('bcc')
    expect(mail?.parsed.subject).toBe(
      'Your code to sign in to Shop Bcc: eve@example.\u200btest <b>Hello</b> Ünï',
    )
    expect(mail?.source.slice(0, mail.source.indexOf('\r\n\r\n'))).toMatch(/^[\x20-\x7e\r\n]*$/)
    expect(mail?.parsed.html).not.toContain('<b>')
  })

  it('is sent and shown in development mode with a server', async () => {
    await using smtp = await startSmtpServer()
    await using post = await openPost({ mail: { smtpUrl: `smtp://127.0.0.1:${smtp.port}` } })
    await post.mail.send({ to: anna, template: 'test' })
    await post.deliver()
    expect(smtp.received.length).toBe(1)
    expect((await post.inbox()).map(({ to }) => to)).toEqual([anna])
  })
})

describe('the way to the server', () => {
  it('is encrypted by STARTTLS, with a certificate that is checked, before anything is said', async () => {
    const login = 'latchkey:p%40ss%2Fword@'
    const server = { tls: 'starttls', user: 'latchkey', password: 'p@ss/word' } as const
    const { received } = await trusting(() => attempt(server, { host: elsewhere, login }))
    expect(received).toMatchObject([{ encrypted: true, user: 'latchkey' }])
  })

  it('is encrypted from the first byte where the setting says so', async () => {
    const { received } = await trusting(() =>
      attempt({ tls: 'immediate' }, { host: elsewhere, scheme: 'smtps' }),
    )
    expect(received).toMatchObject([{ encrypted: true }])
  })

  it.each(['starttls', 'immediate'] as const)(
    'is not taken where its certificate is nobody’s (%s)',
    async (tls) => {
      const scheme = tls === 'immediate' ? 'smtps' : 'smtp'
      const { received, waiting } = await attempt({ tls }, { host: elsewhere, scheme })
      expect(received).toEqual([])
      expect(waiting[0]?.lastError).toMatch(/^The certificate of 0\.0\.0\.0:\d+ cannot be trusted/)
    },
  )

  it('is not taken where a server elsewhere does not encrypt, password and all', async () => {
    const server = { tls: 'none', user: 'latchkey', password: 'secret-of-smtp' } as const
    const { received, waiting, logged } = await attempt(server, {
      host: elsewhere,
      login: 'latchkey:secret-of-smtp@',
    })
    expect(received).toEqual([])
    expect(waiting[0]?.lastError).toMatch(/does not upgrade the connection to TLS/)
    expect(logged).not.toContain('secret-of-smtp')
  })

  it('may be unprotected where that is allowed, and on this machine', async () => {
    const allowed = await attempt({ tls: 'none' }, { host: elsewhere, mail: { allowUnprotected: true } })
    const local = await attempt({ tls: 'starttls' })
    expect(allowed.received).toMatchObject([{ encrypted: false }])
    expect(local.received).toMatchObject([{ encrypted: true }])
  })
})

describe('a server that is down', () => {
  it('keeps mails waiting, says why, and gets them when it is back', async () => {
    const gone = await startSmtpServer()
    const { port } = gone
    await gone.stop()
    await using post = await postTo({ port })
    for (const name of ['anna', 'bert', 'carl'])
      await post.mail.send({ to: `${name}@example.test`, template: 'test' })
    for (let tries = 0; tries < 5; tries += 1) {
      await post.deliver()
      post.clock.advance(600)
    }
    const waiting = await post.queue()
    expect(waiting).toHaveLength(3)
    for (const { attempts, abandonedAt, lastError } of waiting) {
      expect({ attempts, abandonedAt }).toEqual({ attempts: 5, abandonedAt: null })
      expect(lastError).toBe(`Nobody listens at 127.0.0.1:${port}; check host and port.`)
    }
    await using back = await startSmtpServer({ port })
    post.clock.advance(600)
    await post.deliver()
    expect(back.received.map(({ to }) => to.join()).toSorted()).toEqual([
      'anna@example.test',
      'bert@example.test',
      'carl@example.test',
    ])
    expect(await post.queue()).toEqual([])
  })

  it.each(['connect', 'sender', 'recipient', 'message'] as const)(
    'is left when it says nothing (%s)',
    async (hang) => {
      const { received, waiting } = await attempt({ hang })
      expect(received).toEqual([])
      expect(waiting).toMatchObject([{ attempts: 1, abandonedAt: null }])
      expect(waiting[0]?.lastError).toMatch(/did not answer in time/)
    },
  )
})

it('gives up on a server that answers a little for ever', async () => {
  const drip = createServer((socket) => {
    socket.write('220 hello\r\n')
    const dripping = setInterval(() => socket.write('250-more\r\n'), 200)
    socket.on('close', () => clearInterval(dripping)).on('error', () => {})
  })
  drip.listen(0, '127.0.0.1')
  await once(drip, 'listening')
  await using post = await postTo(drip.address() as AddressInfo)
  await post.mail.send({ to: anna, template: 'test' })
  await post.deliver()
  drip.close()
  expect((await post.queue())[0]?.lastError).toMatch(/took too long and was broken off/)
})

describe('a refusal', () => {
  it('of one recipient for good is the end of that mail alone', async () => {
    await using smtp = await startSmtpServer({
      refuse: { recipient: { code: 550, text: '5.1.1 No such user here' } },
      refusedRecipients: [anna],
    })
    await using post = await postTo(smtp)
    await post.mail.send({ to: anna, template: 'test' })
    await post.mail.send({ to: 'bert@example.test', template: 'test' })
    await post.deliver()
    expect(smtp.received.map(({ to }) => to)).toEqual([['bert@example.test']])
    const connections = smtp.connections()
    post.clock.advance(86_400)
    await post.deliver()
    expect(smtp.connections()).toBe(connections)
    const [waiting] = await post.queue()
    expect(waiting?.abandonedAt).not.toBeNull()
    expect(waiting?.lastError).toMatch(/refuses the mail for good: .*No such user here/)
    expect(await post.audited('outbox.given_up')).toHaveLength(1)
  })

  it('of the mail itself for good is its end', async () => {
    const { waiting } = await attempt({ refuse: { message: { code: 554, text: '5.7.1 Looks like spam' } } })
    expect(waiting[0]?.abandonedAt).not.toBeNull()
  })

  it.each([
    ['recipient', 450, /does not take mail to this address at the moment: .*Mailbox busy/],
    ['message', 452, /does not take this mail at the moment: .*Mailbox busy/],
    ['sender', 550, /refuses the sender; check LATCHKEY_MAIL_FROM: .*Mailbox busy/],
    ['connect', 554, /Mailbox busy/],
  ] as const)('of a %s with %i may end, and is tried again', async (step, code, told) => {
    const { waiting } = await attempt({ refuse: { [step]: { code, text: 'Mailbox busy' } } })
    expect(waiting).toMatchObject([{ attempts: 1, abandonedAt: null }])
    expect(waiting[0]?.lastError).toMatch(told)
  })

  it('of the password is told, without the password, and may end', async () => {
    const server = { user: 'latchkey', password: 'right-secret' }
    const { waiting, logged } = await attempt(server, { login: 'latchkey:wrong-secret@' })
    expect(waiting).toMatchObject([{ abandonedAt: null }])
    expect(waiting[0]?.lastError).toMatch(/^The mail server refuses the user name or the password/)
    expect(logged).not.toContain('wrong-secret')
    expect(logged).not.toContain(Buffer.from('\0latchkey\0wrong-secret').toString('base64'))
  })
})
