/** Delivers what the outbox of the given database holds to the given mail server, once a line comes in, and says when it is done. */
import { once } from 'node:events'
import { systemClock } from '../../src/kernel/clock.ts'
import { openStorage } from '../../src/storage/open.ts'
import { postOn } from './post.ts'

const [, , databaseUrl, smtpUrl] = process.argv
const storage = await openStorage({
  databaseUrl,
  dataFolder: '',
  synchronous: 'NORMAL',
  poolSize: 4,
  timeoutMilliseconds: 10_000,
})
const post = postOn(storage, systemClock, { development: false, mail: { smtpUrl } })

process.stdout.write('ready\n')
await once(process.stdin, 'data')
await post.deliver()
process.stdout.write('done\n')
await storage.close()
process.exit(0)
