import { expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { freePort, startLatchkey, withKeys } from '../support/latchkey.ts'
import { startSmtpServer } from '../support/smtp-server.ts'

const anna = { to: 'anna@example.test', template: 'test' }

it('sends by itself, right after the commit, in production', async () => {
  await using smtp = await startSmtpServer()
  const environment = {
    LATCHKEY_ISSUER: `http://localhost:${await freePort()}`,
    LATCHKEY_MAIL_SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
  }
  await using latchkey = await startLatchkey({ environment })
  await latchkey.app.features.mail.mail.send(anna)
  await smtp.arrived(1)
  expect(smtp.received[0]?.to).toEqual(['anna@example.test'])
  expect(smtp.received[0]?.from).toBe('no-reply@localhost')
})

it('stops although the mail server hangs, and the next start sends what was broken off', async () => {
  const database = await createDatabase(withKeys)
  await using silent = await startSmtpServer({ hang: 'connect' })
  const environment = (port: number) => ({
    LATCHKEY_MAIL_SMTP_URL: `smtp://127.0.0.1:${port}`,
    LATCHKEY_HOST_SHUTDOWN_SECONDS: '1',
  })
  const first = await startLatchkey({ databaseUrl: database.url, environment: environment(silent.port) })
  await first.app.features.mail.mail.send(anna)
  await silent.connected()
  await first.close()

  await using smtp = await startSmtpServer()
  const second = await startLatchkey({ databaseUrl: database.url, environment: environment(smtp.port) })
  await second.mails()
  expect(smtp.received.length).toBe(1)
  await second.close()
  await database.drop()
})

it('writes in the words of the installation', async () => {
  const environment = { LATCHKEY_BRAND_NAME: 'Acme', LATCHKEY_MAIL_FROM_NAME: 'Acme accounts' }
  await using latchkey = await startLatchkey({ environment })
  await latchkey.app.features.mail.mail.send(anna)
  const [mail] = await latchkey.mails()
  expect(mail).toMatchObject({ to: anna.to, subject: 'A test mail from Acme', link: '', code: '' })
})
