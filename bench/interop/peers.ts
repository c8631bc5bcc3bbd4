import type { Cleanup } from '../cleanup.ts'
import type { Ground } from './ground.ts'
import { modAuthOpenidc } from './mod-auth-openidc.ts'
import { authJs, oauth4webapi, openidClient, passport } from './node-peers.ts'
import { oidcAgent } from './oidc-agent.ts'
import { postgresql } from './postgresql.ts'
import {
  apache,
  apacheSelfSigned,
  caddy,
  caddySelfSigned,
  envoy,
  haproxy,
  nginx,
  nginxBelowPath,
} from './proxies.ts'
import { springSecurity } from './spring-security.ts'

export interface Peer {
  readonly name: string
  /**
   * Resolves with the versions that were tried.
   * @throws NotHere when the peer is not on this machine
   */
  run(ground: Ground, cleanup: Cleanup): Promise<string>
}

/** In the order in which they run. */
export const peers: readonly Peer[] = [
  { name: 'openid-client', run: openidClient },
  { name: 'oauth4webapi', run: oauth4webapi },
  { name: 'passport', run: passport },
  { name: 'auth-js', run: authJs },
  { name: 'mod_auth_openidc', run: modAuthOpenidc },
  { name: 'oidc-agent', run: oidcAgent },
  { name: 'spring-security', run: springSecurity },
  { name: 'postgresql', run: postgresql },
  { name: 'nginx', run: nginx },
  { name: 'nginx-below-a-path', run: nginxBelowPath },
  { name: 'haproxy', run: haproxy },
  { name: 'caddy', run: caddy },
  { name: 'caddy-self-signed', run: caddySelfSigned },
  { name: 'envoy', run: envoy },
  { name: 'apache', run: apache },
  { name: 'apache-self-signed', run: apacheSelfSigned },
]
