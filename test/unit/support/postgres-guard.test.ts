import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { queryOn } from '../../support/postgres-databases.ts'

const startsAndPauses = `
  import { startPostgres } from ${JSON.stringify(new URL('../../support/postgres.ts', import.meta.url).href)}
  import { queryOn } from ${JSON.stringify(new URL('../../support/postgres-databases.ts', import.meta.url).href)}
  const server = await startPostgres()
  const [{ data_directory }] = await queryOn(server.url, 'SHOW data_directory')
  if (process.argv[1] === 'paused') await server.pause()
  console.log(JSON.stringify({ url: server.url, folder: data_directory }))
`

it.each(['running', 'paused'])(
  'leaves no %s server and no data behind when the test run is killed',
  async (state) => {
    const args = ['--input-type=module', '--eval', startsAndPauses, state]
    const run = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: run.stdout }), 'line')
    const { url, folder } = JSON.parse(line)
    expect(existsSync(folder)).toBe(true)
    run.kill('SIGKILL')
    await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false)
    await expect(queryOn(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
  },
)
