/**
 * Makes as many clients as it is told, on the database that the environment names, and prints their credentials. The
 * command line makes one for each process, which for ten thousand takes hours.
 */
import { openApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { openLog } from '../src/host/log.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { commandLineActor } from '../src/kernel/http.ts'
import { accept, parseCreate } from '../src/kernel/input.ts'
import { parameters } from './parameters.ts'
import type { Credentials } from './target.ts'

const count = Number(process.argv[2])
const { log } = await openLog({ level: 'silent', format: 'json' })
const app = await openApp({ config: readConfig(process.env), clock: systemClock, log })
const { resource } = app.features.clients
const crowd: Credentials[] = []
let begun = 0

async function make(): Promise<void> {
  while (begun < count) {
    begun += 1
    const input = {
      ...{ kind: 'web', name: `Bench ${begun}`, firstParty: true },
      redirectUris: [parameters.redirectUri],
      grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
      scopes: [...parameters.scope.split(' '), parameters.apiScope],
    }
    const { item, reveals } = await resource.create(
      accept(parseCreate(resource.fields, input)),
      commandLineActor,
    )
    crowd.push({ id: item.id, secret: reveals?.secret ?? '' })
  }
}

await Promise.all(Array.from({ length: 8 }, make))
await app.close()
process.stdout.write(JSON.stringify(crowd))
