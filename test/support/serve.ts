/**
 * The server as a process of its own, for tests that kill it or need two over one database (server-process.ts starts
 * it). Configured by the environment; says its port in one line on standard output and ends when standard input does,
 * so that it never outlives the test that started it. With LATCHKEY_TEST_CREATE_USERS it also creates users, one after
 * the other, as fast as it can.
 */
import { setImmediate } from 'node:timers/promises'
import { openApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import { openLog } from '../../src/host/log.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { commandLineActor } from '../../src/kernel/http.ts'
import { newId } from '../../src/kernel/ids.ts'
import { accept, parseCreate } from '../../src/kernel/input.ts'
import { serve } from '../../src/serve.ts'

process.stdin.on('end', () => process.exit(0)).resume()
const { log } = await openLog({ level: 'silent', format: 'json' })
const app = await openApp({ config: readConfig(process.env), clock: systemClock, log })
const { port } = await serve(app)
process.stdout.write(`${port}\n`)

const { resource } = app.features.users
while (process.env.LATCHKEY_TEST_CREATE_USERS !== undefined) {
  await resource.create(
    accept(parseCreate(resource.fields, { email: `${newId()}@example.test` })),
    commandLineActor,
  )
  // SQLite answers without a wait, so that requests would never have their turn.
  await setImmediate()
}
