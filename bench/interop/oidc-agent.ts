/** oidc-agent (Debian: `oidc-agent-cli`), with the device grant: `docs/clients/oidc-agent.md`. */
import { existsSync, mkdirSync } from 'node:fs'
import { newVisitor } from '../../test/support/visitor.ts'
import { allowDevice, type Ground, same } from './ground.ts'
import { find, seen, versionOf } from './programs.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

export async function oidcAgent(ground: Ground): Promise<string> {
  const [agent, generate, token] = ['oidc-agent', 'oidc-gen', 'oidc-token'].map(find) as [
    string,
    string,
    string,
  ]
  const { id } = await ground.createClient(
    ...['--name', 'oidc-agent', '--kind', 'native'],
    ...['--grant-type', deviceGrant, '--grant-type', 'refresh_token'],
  )
  const env = await startAgent(ground, agent)
  const account = [
    ...['latchkey', '--issuer', ground.issuer, '--client-id', id, '--client-secret='],
    ...['--flow=device', '--scope', 'openid profile email offline_access'],
    ...['--no-url-call', '--pw-env', '--prompt=none', '--confirm-default'],
  ]
  const asking = ground.start(generate, account, { env })
  const code = await seen(() => /\b[B-Z]{4}-[B-Z]{4}\b/.exec(asking.output())?.[0], asking.output)
  await allowDevice(newVisitor(), ground.issuer, code)
  if ((await asking.ended) !== 0) throw new Error(asking.output())

  const giving = ground.start(token, ['latchkey'], { env })
  same('oidc-token', await giving.ended, 0)
  const authorization = `Bearer ${giving.output().trim().split('\n').at(-1)}`
  const userinfo = () => fetch(`${ground.issuer}/me`, { headers: { authorization } })
  same('userinfo', (await userinfo()).status, 200)
  const forgetting = ground.start(generate, ['-d', 'latchkey', '--pw-env', '--confirm-yes'], { env })
  same('oidc-gen -d', await forgetting.ended, 0)
  same('userinfo afterwards', (await userinfo()).status, 401)
  return `oidc-agent ${versionOf(agent, ['--version'])}`
}

/** Starts it with a folder of its own; the variables by which the other commands find it. */
async function startAgent({ folder, start }: Ground, agent: string) {
  const socket = `${folder}/oidc-agent-socket/agent`
  const home = { HOME: folder, OIDC_CONFIG_DIR: `${folder}/oidc-agent` }
  mkdirSync(home.OIDC_CONFIG_DIR)
  const serving = start(agent, ['--console', '--no-autoload', '-a', socket], { env: home })
  await seen(() => (existsSync(socket) ? socket : undefined), serving.output)
  return { ...home, OIDC_SOCK: socket, OIDC_ENCRYPTION_PW: 'a password of the file' }
}
