/** oidc-agent (Debian: `oidc-agent-cli`), with the device grant: `docs/clients/oidc-agent.md`. */
import { existsSync, mkdirSync } from 'node:fs'
import { newVisitor } from '../../test/support/visitor.ts'
import { allowDevice, type Ground, same } from './ground.ts'
import { find, seen, versionOf } from './programs.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

export async function oidcAgent(ground: Ground): Promise<string> {
  const agent = find('oidc-agent')
  const generate = find('oidc-gen')
  const token = find('oidc-token')
  const { id, secret } = await ground.createClient(
    ...[
      '--name',
      'oidc-agent',
      '--kind',
      'web',
      '--grant-type',
      deviceGrant,
      '--grant-type',
      'refresh_token',
    ],
  )
  mkdirSync(`${ground.folder}/oidc-agent`)
  const home = { HOME: ground.folder, OIDC_CONFIG_DIR: `${ground.folder}/oidc-agent` }
  const socket = `${ground.folder}/oidc-agent-socket/agent`
  const serving = ground.start(agent, ['--console', '--no-autoload', '-a', socket], { env: home })
  await seen(() => (existsSync(socket) ? socket : undefined), serving.output)
  const env = { ...home, OIDC_SOCK: socket, OIDC_ENCRYPTION_PW: 'a password of the file' }

  const asking = ground.start(
    generate,
    [
      ...[
        'latchkey',
        '--issuer',
        ground.issuer,
        '--client-id',
        id,
        '--client-secret',
        secret,
        '--flow=device',
      ],
      ...['--scope', 'openid profile email offline_access', '--redirect-uri', 'http://localhost:4242'],
      ...['--pw-env', '--prompt=none', '--confirm-default', '--no-url-call'],
    ],
    { env },
  )
  const code = await seen(() => /\b[B-Z]{4}-[B-Z]{4}\b/.exec(asking.output())?.[0], asking.output)
  await allowDevice(newVisitor(), ground.issuer, code)
  if ((await asking.ended) !== 0) throw new Error(asking.output())

  const giving = ground.start(token, ['latchkey'], { env })
  same('oidc-token', await giving.ended, 0)
  const answer = await fetch(`${ground.issuer}/me`, {
    headers: { authorization: `Bearer ${giving.output().trim().split('\n').at(-1)}` },
  })
  same('userinfo', answer.status, 200)
  return `oidc-agent ${versionOf(agent, ['--version'])}`
}
