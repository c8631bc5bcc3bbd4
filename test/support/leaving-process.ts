/** Deletes the accounts whose time has come, as a job of the server does, and says so after each batch; to be killed. */
import { openApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/config.ts'
import { openLog } from '../../src/host/log.ts'
import { systemClock } from '../../src/kernel/clock.ts'

const { log } = await openLog({ level: 'silent', format: 'json' })
const app = await openApp({ config: readConfig(process.env), clock: systemClock, log })
for (let more = true; more; ) {
  more = await app.features.departures.departures.deleteDue()
  await new Promise((written) => process.stdout.write('batch\n', written))
}
await app.close()
