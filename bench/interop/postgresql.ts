/**
 * PostgreSQL 18 with `psql` and its device flow (`libpq-oauth`): `docs/clients/postgresql.md`.
 *
 * The server is the one that the tests bring. PostgreSQL has no validator of its own, so its library is named by
 * LATCHKEY_INTEROP_VALIDATOR (built from pg_oidc_validator); LATCHKEY_INTEROP_PSQL names a psql beside the one on the path.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { startPostgres } from '../../test/support/postgres.ts'
import { newVisitor } from '../../test/support/visitor.ts'
import type { Cleanup } from '../cleanup.ts'
import { allowDevice, type Ground, NotHere, person, same } from './ground.ts'
import { find, seen, versionOf } from './programs.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const api = 'https://postgres.example.com'
const scope = 'postgres:login'

export async function postgresql(ground: Ground, cleanup: Cleanup): Promise<string> {
  const psql = process.env.LATCHKEY_INTEROP_PSQL ?? find('psql')
  const version = versionOf(psql, ['--version'])
  const validator = process.env.LATCHKEY_INTEROP_VALIDATOR
  if (Number.parseInt(version, 10) < 18) throw new NotHere(`psql is ${version}, and OAuth came with 18`)
  if (validator === undefined) throw new NotHere('LATCHKEY_INTEROP_VALIDATOR names no validator library')

  await ground.latchkey(
    ...['resources', 'create', '--indicator', api, '--name', 'PostgreSQL', '--token-format', 'jwt'],
    ...['--token-algorithm', 'RS256', '--scope', `${scope}=Use the database`],
  )
  const { id } = await ground.createClient(
    ...['--name', 'psql', '--kind', 'native', '--grant-type', deviceGrant, '--scope', scope],
    ...['--default-resource', api],
  )
  const shown = await ground.latchkey('users', 'show', person.email, '--json')
  const { id: sub } = z.object({ id: z.string() }).parse(JSON.parse(shown))
  const server = await startServer(ground, cleanup, { validator, map: `people ${sub} ada\n` })
  const run = (...args: readonly string[]) =>
    ground.start(psql, [...args, '-At'], { env: { PGOAUTHDEBUG: 'UNSAFE' } })
  same('creating the role', await run(server, '-c', 'create role ada login').ended, 0)

  const { port } = new URL(server)
  const asking = run(
    `host=127.0.0.1 port=${port} dbname=postgres user=ada oauth_issuer=${ground.issuer} oauth_client_id=${id}`,
    ...['-c', "select current_user || ' is ' || system_user"],
  )
  const code = await seen(() => /enter the code: (\S+)/.exec(asking.output())?.[1], asking.output)
  await allowDevice(newVisitor(), ground.issuer, code)
  if ((await asking.ended) !== 0) throw new Error(asking.output().slice(-1000))
  same('who it is', asking.output().includes(`ada is oauth:${sub}`), true)
  return `psql ${version}, server of PostgreSQL 18`
}

/** The address of its superuser. Others come by a token; who of them is which role stands in the map. */
async function startServer(
  ground: Ground,
  cleanup: Cleanup,
  { validator, map }: { readonly validator: string; readonly map: string },
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-interop-pg-'))
  cleanup.onExit(() => rmSync(folder, { recursive: true, force: true }))
  // The server runs as another user.
  chmodSync(folder, 0o755)
  const rules = [
    'host all latchkey 127.0.0.1/32 scram-sha-256',
    `host all all 127.0.0.1/32 oauth issuer="${ground.issuer}" scope="${scope}" map=people`,
  ]
  writeFileSync(`${folder}/hba`, `${rules.join('\n')}\n`, { mode: 0o644 })
  writeFileSync(`${folder}/ident`, map, { mode: 0o644 })
  const server = await startPostgres({
    hba_file: `${folder}/hba`,
    ident_file: `${folder}/ident`,
    oauth_validator_libraries: validator,
  })
  cleanup.onEnd(() => server.close())
  return server.url
}
