import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { after, type Clock, systemClock } from '../../src/kernel/clock.ts'
import { times } from '../support/application.ts'
import { openPost, postOn } from '../support/post.ts'
import { startSmtpServer } from '../support/smtp-server.ts'

const script = fileURLToPath(new URL('../support/delivering-process.ts', import.meta.url))

/** A process that delivers when it is told to. */
async function startDelivering(databaseUrl: string, port: number) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, databaseUrl, `smtp://127.0.0.1:${port}`],
    { env: { PATH: process.env.PATH }, stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const gone = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const [word] = await once(lines, 'line')
  expect(word).toBe('ready')
  return {
    begin: () => child.stdin.write('go\n'),
    done: () => gone,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

const ahead = (seconds: number): Clock => ({ now: () => after(systemClock.now(), seconds) })

it('sends each mail once, when two processes deliver the same outbox and nobody dies', async () => {
  await using server = await startSmtpServer()
  await using post = await openPost({ development: false, mail: { smtpUrl: 'smtp://127.0.0.1:1' } })
  await times(30, (index) => post.mail.send({ to: `person-${index}@example.test`, template: 'test' }))
  const workers = await times(2, () => startDelivering(post.storage.url, server.port))
  for (const worker of workers) worker.begin()
  await Promise.all(workers.map((worker) => worker.done()))
  const recipients = server.received.map(({ to }) => to.join())
  expect(recipients.length).toBe(30)
  expect(new Set(recipients).size).toBe(30)
  expect(await post.queue()).toEqual([])
})

it('loses nothing when a process is killed in the middle of a delivery', async () => {
  await using silent = await startSmtpServer({ hang: 'message' })
  await using server = await startSmtpServer()
  await using post = await openPost({ development: false, mail: { smtpUrl: 'smtp://127.0.0.1:1' } })
  await times(5, (index) => post.mail.send({ to: `person-${index}@example.test`, template: 'test' }))
  const worker = await startDelivering(post.storage.url, silent.port)
  worker.begin()
  await silent.connected()
  await worker.kill()

  const options = { development: false, mail: { smtpUrl: `smtp://127.0.0.1:${server.port}` } }
  const storage = await post.storage.openAnother()
  await postOn(storage, ahead(120), options).deliver()
  expect(server.received.map(({ to }) => to.join()).toSorted()).toEqual(
    Array.from({ length: 5 }, (_, index) => `person-${index}@example.test`),
  )
  expect(await post.queue()).toEqual([])
})
