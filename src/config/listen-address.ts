import type { Config } from './config.ts'

type Listening = Pick<Config, 'development' | 'server'>

/** Where to listen. In development mode nobody but this machine is served unless an address is given. */
export const listenAddress = ({ development, server }: Listening): string =>
  development && server.listenAddress === '::' ? 'localhost' : server.listenAddress

const ofThisMachine = new Set(['localhost', '::1', '[::1]'])
const loopback = /^127(?:\.\d{1,3}){3}$/

/** Whether no other machine gets an answer (RFC 6890: 127.0.0.0/8 and ::1). */
export function servesThisMachineAlone(config: Listening): boolean {
  const address = listenAddress(config)
  return ofThisMachine.has(address) || loopback.test(address)
}

/** Whether clients are asked for certificates (RFC 8705), by this server or by the proxy in front of it. */
export const asksForCertificates = ({ mtls }: Pick<Config, 'mtls'>): boolean =>
  mtls.url !== undefined || mtls.certificateHeader !== undefined
