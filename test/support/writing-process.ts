/** Writes to the database that it is given, without end, and prints each topic when its write was answered. */
import { openStorage } from '../../src/storage/open.ts'

const storage = await openStorage({
  databaseUrl: process.argv[2],
  dataFolder: '',
  synchronous: 'NORMAL',
  poolSize: 4,
  timeoutMilliseconds: 10_000,
})
const insert = storage.statement('INSERT INTO revision (topic, value) VALUES (?, ?)')

async function write(writer: number): Promise<never> {
  for (let value = 0; ; value += 1) {
    const topic = `${writer}-${value}`
    await insert.run(topic, value)
    await new Promise((written) => process.stdout.write(`${topic}\n`, written))
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))
