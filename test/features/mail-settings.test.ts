import { describe, expect, it } from 'vitest'
import { parseServerUrl } from '../../src/features/mail/server-url.ts'
import { settings } from '../../src/features/mail/settings.ts'

describe('the address of the mail server', () => {
  it('says host, port, encryption and who signs in', () => {
    expect(parseServerUrl('smtp://mail.example.test')).toMatchObject({
      host: 'mail.example.test',
      port: 587,
      secure: false,
    })
    expect(parseServerUrl('smtps://mail.example.test/')).toMatchObject({
      port: 465,
      secure: true,
      user: undefined,
    })
    expect(parseServerUrl('smtp://a%40b:p%2F%3A%23@mail.example.test:2525')).toMatchObject({
      port: 2525,
      user: 'a@b',
      password: 'p/:#',
    })
    expect(parseServerUrl('smtp://[::1]:25')).toMatchObject({ host: '::1', isLocal: true })
  })

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['LOCALHOST', true],
    ['mail.example.test', false],
    ['localhost.example.test', false],
    ['127.0.0.1.example.test', false],
    ['0.0.0.0', false],
    ['10.0.0.1', false],
  ])('knows whether it is this machine: %s', (host, isLocal) => {
    expect(parseServerUrl(`smtp://${host}`)?.isLocal).toBe(isLocal)
  })

  it.each([
    'http://mail.example.test',
    'mail.example.test:587',
    'smtp://h/path',
    'smtp://h?tls=no',
    'smtp://h#x',
    'smtp://%zz@h',
    'smtp://u:p#w@h',
    '',
  ])('is refused where it is none, without repeating it: %j', (text) => {
    const parsed = settings.smtpUrl.schema.safeParse(text)
    expect(parsed.success).toBe(false)
    expect(settings.smtpUrl.secret).toBe(true)
    if (text !== '') expect(JSON.stringify(parsed.error?.issues)).not.toContain(text)
  })
})

it.each([
  'Acme <no-reply@example.test>',
  'a@example.test, b@example.test',
  'a@example.test\r\nBcc: c@example.test',
  'nobody',
])('takes one plain address to send from: %j', (text) => {
  expect(settings.from.schema.safeParse(text).success).toBe(false)
  expect(settings.replyTo.schema.safeParse(text).success).toBe(false)
  expect(settings.from.schema.safeParse('no-reply@example.test').success).toBe(true)
})
