/** Apache with mod_auth_openidc (Debian: `apache2 libapache2-mod-auth-openidc`): `docs/clients/mod_auth_openidc.md`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { newVisitor } from '../../test/support/visitor.ts'
import { freePort } from '../child.ts'
import { type Ground, leaveIssuer, person, same, throughIssuer } from './ground.ts'
import { debianVersion, find, versionOf } from './programs.ts'

const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'dir', 'headers', 'auth_openidc']

export async function modAuthOpenidc(ground: Ground): Promise<string> {
  const apache = find('apache2')
  const folder = find('mod_auth_openidc.so').replace(/\/[^/]*$/, '')
  const port = await freePort()
  const url = `http://localhost:${port}`
  const { id, secret } = await ground.createClient(
    ...['--name', 'Wiki', '--kind', 'web', '--first-party'],
    ...['--redirect-uri', `${url}/oidc/callback`, '--post-logout-redirect-uri', `${url}/goodbye/`],
    ...['--backchannel-logout-uri', `${url}/oidc/callback?logout=backchannel`],
  )
  const site = `${ground.folder}/apache`
  for (const path of ['', '/wiki', '/goodbye', '/oidc']) mkdirSync(`${site}${path}`)
  writeFileSync(`${site}/wiki/index.html`, 'the wiki')
  writeFileSync(`${site}/goodbye/index.html`, 'goodbye')
  writeFileSync(
    `${site}/apache.conf`,
    configuration({ issuer: ground.issuer, id, secret, url, port, site, folder }),
  )
  const server = ground.start(apache, ['-X', '-f', `${site}/apache.conf`])
  await server.answers(`${url}/goodbye/`)

  const visitor = newVisitor()
  const wiki = await throughIssuer(visitor, await visitor.get(`${url}/wiki/`))
  same('the page', wiki.text, 'the wiki')
  same('the person', wiki.headers.get('x-remote-user'), person.email)

  const leaving = await visitor.get(`${url}/oidc/callback?logout=${encodeURIComponent(`${url}/goodbye/`)}`)
  same('after signing out', (await leaveIssuer(visitor, leaving))?.split('?')[0], `${url}/goodbye/`)
  same('the page afterwards', (await visitor.get(`${url}/wiki/`)).status, 302)
  await fromElsewhere(ground, url)
  return `mod_auth_openidc ${debianVersion('libapache2-mod-auth-openidc')}, Apache ${versionOf(apache, ['-v'])}`
}

/** An administrator ends the session: Apache is told by the back channel. */
async function fromElsewhere(ground: Ground, url: string): Promise<void> {
  const visitor = newVisitor()
  same('the page', (await throughIssuer(visitor, await visitor.get(`${url}/wiki/`))).text, 'the wiki')
  await ground.latchkey('sessions', 'end-all', '--user', person.email)
  for (let tries = 0; (await visitor.get(`${url}/wiki/`)).status === 200; tries += 1) {
    if (tries === 100) throw new Error('the back channel does not end the session at Apache')
    await pause(100)
  }
}

interface Site {
  readonly issuer: string
  readonly id: string
  readonly secret: string
  readonly url: string
  readonly port: number
  readonly site: string
  readonly folder: string
}

const configuration = ({ issuer, id, secret, url, port, site, folder }: Site): string => `
ServerName localhost
Listen localhost:${port}
PidFile ${site}/apache.pid
ErrorLog ${site}/error.log
DocumentRoot ${site}
DirectoryIndex index.html
# The visitor's requests are a script's, which would be told 401 instead of being sent to sign in.
RequestHeader unset Sec-Fetch-Mode early
${modules.map((name) => `LoadModule ${name}_module ${folder}/mod_${name}.so`).join('\n')}

OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${id}
OIDCClientSecret ${secret}
OIDCRedirectURI ${url}/oidc/callback
OIDCCryptoPassphrase long-and-random
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email

<Location />
  Require all granted
</Location>
<Location /oidc/callback>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /wiki/>
  AuthType openid-connect
  Require valid-user
  Header always set X-Remote-User "expr=%{REMOTE_USER}"
</Location>
`
