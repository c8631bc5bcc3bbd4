/** Proxies in front of Latchkey, with the configurations that the documents show: `docs/proxies.md`. */
import { readFileSync } from 'node:fs'
import type { Issued } from '../../test/support/certificates.ts'
import { blockOf, type Fitting, fitted, type Place } from './documented.ts'
import { find, versionOf } from './programs.ts'
import { behindProxy, type Recipe, type Site } from './proxy.ts'
import { tryBelowPath } from './proxy-people.ts'

const escaped = ({ cert }: Issued): string => encodeURIComponent(cert)
const base64 = ({ der }: Issued): string => der
const element = ({ cert }: Issued): string => `Hash=00;Cert="${encodeURIComponent(cert)}"`

const inProxies = (heading: string, language: string): Place => ({
  document: 'proxies.md',
  heading,
  language,
})
const both = ['tls_client_auth', 'self_signed_tls_client_auth'] as const
const files = (name: string, { folder }: Site): Fitting => [`/etc/${name}/`, `${folder}/`]
const upstream = ({ port }: Site): Fitting => ['127.0.0.1:3000', `127.0.0.1:${port}`]

/** What Debian has around the blocks of a site. */
const nginxAround = (folder: string, blocks: readonly string[]): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
${blocks.join('\n')}
}
`

const nginxBegin = (blocks: readonly string[]) => (site: Site) => {
  const program = find('nginx')
  const here: Fitting = ['listen 443', `listen 127.0.0.1:${site.proxyPort}`]
  const fitting = blocks.map((block) => fitted(block, [files('nginx', site), upstream(site), here]))
  const file = site.write('nginx.conf', nginxAround(site.folder, fitting))
  const args = ['-p', site.folder, '-e', `${site.folder}/error.log`, '-c', file]
  return { program, args, version: `nginx ${versionOf('sh', ['-c', `${program} -v 2>&1`])}` }
}

const ofNginx = (document: string, heading: string): string =>
  blockOf({ document, heading, language: 'nginx' })
const atProxy = 'TLS that ends at a proxy'

export const nginx = behindProxy({
  settings: { document: 'mtls.md', heading: atProxy, language: 'sh' },
  write: escaped,
  ways: both,
  begin: (site) => nginxBegin([ofNginx('production.md', 'Reverse proxy'), ofNginx('mtls.md', atProxy)])(site),
})

export const nginxBelowPath = behindProxy({
  settings: { document: 'mtls.md', heading: atProxy, language: 'sh' },
  moreSettings: {
    LATCHKEY_ISSUER: 'https://example.com/id',
    LATCHKEY_MTLS_URL: 'https://mtls.example.com',
    LATCHKEY_PASSKEYS_RELATED_ORIGINS: 'https://example.org',
  },
  write: escaped,
  ways: both,
  begin(site) {
    const ofClients = fitted(ofNginx('mtls.md', atProxy), [['mtls.id.example.com', 'mtls.example.com']])
    return nginxBegin([ofNginx('production.md', 'Below a path'), ofClients])(site)
  },
  also: tryBelowPath,
})

export const haproxy = behindProxy({
  settings: inProxies('HAProxy', 'sh'),
  write: base64,
  ways: both,
  begin(site) {
    const program = find('haproxy')
    const list = blockOf(inProxies('HAProxy', ''))
    // One file holds the certificate and its key.
    const together: Fitting = ['/etc/haproxy/server.pem', `${site.folder}/both.pem`]
    site.write('certificates.txt', fitted(list, [together, files('haproxy', site)]))
    const file = site.write(
      'haproxy.cfg',
      fitted(blockOf(inProxies('HAProxy', 'haproxy')), [
        files('haproxy', site),
        upstream(site),
        ['bind :443', `bind 127.0.0.1:${site.proxyPort}`],
      ]),
    )
    return { program, args: ['-db', '-f', file], version: `HAProxy ${versionOf(program, ['-v'])}` }
  },
})

export const envoy = behindProxy({
  settings: inProxies('Envoy', 'sh'),
  write: element,
  ways: both,
  begin(site) {
    const program = find('envoy')
    const block = fitted(blockOf(inProxies('Envoy', 'yaml')), [
      files('envoy', site),
      ['0.0.0.0, port_value: 443', `127.0.0.1, port_value: ${site.proxyPort}`],
      ['port_value: 3000', `port_value: ${site.port}`],
    ])
    const args = ['-c', site.write('envoy.yaml', block), '--use-dynamic-base-id', '--concurrency', '1']
    return { program, args, version: `Envoy ${versionOf(program, ['--version'], /\d+\.\d+\.\d+/)}` }
  },
})

const caddyWith = (heading: string, way: Recipe['ways'][number], block: (site: Site) => string) =>
  behindProxy({
    settings: inProxies(heading, 'sh'),
    write: base64,
    ways: [way],
    begin(site) {
      const program = find('caddy')
      // Its own authority signs what one of the web would; nothing of it leaves the folder.
      const around = `{
        admin off
        local_certs
        skip_install_trust
        auto_https disable_redirects
        default_bind 127.0.0.1
        https_port ${site.proxyPort}
      }\n`
      const file = site.write('Caddyfile', around + fitted(block(site), [upstream(site)]))
      return {
        program,
        args: ['run', '--config', file, '--adapter', 'caddyfile'],
        env: { HOME: site.folder, XDG_DATA_HOME: site.folder, XDG_CONFIG_HOME: site.folder },
        version: `Caddy ${versionOf(program, ['build-info'], /(?<=caddy\/v2\s+v)[\d.]+/)}`,
        ownAuthority: () => readFileSync(`${site.folder}/caddy/pki/authorities/local/root.crt`, 'utf8'),
      }
    },
  })

const ofCaddy = (): string => blockOf(inProxies('Caddy', 'caddyfile'))

export const caddy = caddyWith('Caddy', 'tls_client_auth', (site) =>
  fitted(ofCaddy(), [files('caddy', site)]),
)

const caddyAny = 'Caddy, with self-signed clients'
export const caddySelfSigned = caddyWith(
  caddyAny,
  'self_signed_tls_client_auth',
  () => `${peopleIn(ofCaddy(), '\nmtls.')}\n${blockOf(inProxies(caddyAny, 'caddyfile'))}`,
)

/** What a configuration says of the host for people, which stands first. */
const peopleIn = (block: string, end: string): string => block.slice(0, block.indexOf(end))

const apacheModules = ['mpm_event', 'authz_core', 'headers', 'proxy', 'proxy_http', 'socache_shmcb', 'ssl']

/** What Debian has around a site. */
const apacheAround = (folder: string): string => `
ServerName localhost
PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
SSLSessionCache shmcb:${folder}/sessions
${apacheModules.map((name) => `LoadModule ${name}_module ${find(`mod_${name}.so`)}`).join('\n')}
`

const apacheWith = (heading: string, way: Recipe['ways'][number], block: () => string) =>
  behindProxy({
    settings: inProxies(heading, 'sh'),
    write: escaped,
    ways: [way],
    begin(site) {
      const program = find('apache2')
      const sites = fitted(block(), [
        files('apache2', site),
        upstream(site),
        ['Listen 443', `Listen 127.0.0.1:${site.proxyPort} https`],
        ['*:443', `*:${site.proxyPort}`],
      ])
      const args = ['-X', '-f', site.write('apache.conf', apacheAround(site.folder) + sites)]
      return { program, args, version: `Apache ${versionOf(program, ['-v'])}` }
    },
  })

const ofApache = (): string => blockOf(inProxies('Apache', 'apache'))

export const apache = apacheWith('Apache', 'tls_client_auth', ofApache)

const apacheAny = 'Apache, with self-signed clients'
export const apacheSelfSigned = apacheWith(
  apacheAny,
  'self_signed_tls_client_auth',
  () =>
    `${peopleIn(ofApache(), '<VirtualHost *:443>\n  ServerName mtls.')}\n${blockOf(inProxies(apacheAny, 'apache'))}`,
)
