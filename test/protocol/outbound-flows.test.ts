import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isSpecialAddress } from '../../src/provider/outbound.ts'
import type { RunningLatchkey } from '../support/latchkey.ts'
import { type Flow, flows, openFlows } from '../support/outbound-flows.ts'
import { type SectorServer, startSectorServer } from '../support/sector-server.ts'
import { openTrap, type Trap } from '../support/traps.ts'

/** Hosts of this machine, of its network, and names that lead there. */
const hosts = [
  ['127.0.0.1', '127.255.255.254', '[::1]', '[::]', '0.0.0.0'],
  ['10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '169.254.169.254', '[fe80::1]', '[fd00::1]'],
  [
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::1]',
    '[4000::1]',
  ],
  ['2130706433', '017700000001', '0177.0.0.1', '0x7f000001', '0x7f.1', '127.1', '0', '127.0.0.1.'],
  ['①②⑦.0.0.1', 'localhost', 'LOCALHOST', 'localhost.'],
  ['private.example.test', 'private.example.test.', 'mapped.example.test', 'mixed.example.test'],
].flat()

/** By the server's answer to the client, by the check of what is registered, or by what a delivery failed of. */
const refusals =
  /^(40[013]\b|503 temporarily_unavailable|input\.invalid|clients\.sector_unproven)|fetch failed|only https|special-use|private/i

const outcome = (latchkey: RunningLatchkey, flow: Flow, url: string): Promise<string> =>
  flow(latchkey, url).catch(({ code, message }: { code?: string; message: string }) => `${code} ${message}`)

describe('an address that a client makes the server ask', () => {
  let latchkey: RunningLatchkey
  let trap: Trap

  beforeAll(async () => {
    trap = await openTrap()
    for (const dot of ['', '.']) trap.name(`private.example.test${dot}`, [['127.0.0.1']])
    trap.name('mapped.example.test', [['::ffff:127.0.0.1']])
    trap.name('mixed.example.test', [['3000::1', '127.0.0.1']])
    trap.name('open.example.test', [['127.0.0.1']])
    latchkey = await openFlows({
      environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'open.example.test' },
    })
  })
  afterAll(async () => {
    await latchkey.close()
    await trap[Symbol.asyncDispose]()
  })

  it.each(Object.entries(flows))(
    'leads to nothing private: %s',
    async (name, flow) => {
      const before = trap.attempts().length
      const told: [string, string][] = []
      // Each of these takes a whole sign-in.
      for (const host of hosts)
        for (const scheme of name === 'backchannel_logout_uri' ? ['https'] : ['https', 'http']) {
          const url = `${scheme}://${host}:${trap.port}/keys`
          told.push([url, await outcome(latchkey, flow, url)])
        }
      expect(told.filter(([, what]) => !refusals.test(what))).toEqual([])
      expect(trap.attempts().slice(before)).toEqual([])
    },
    90_000,
  )

  // 3000::1 is of a block for public servers of which nothing has been given out, so that nobody is asked.
  it('is connected to where it was looked up, and looked up for each connection', async () => {
    const before = trap.attempts().length
    const tried = Object.values(flows).map(async (flow, index) => {
      const host = `rebinding-${index}.example.test`
      trap.name(host, [['3000::1'], ['127.0.0.1']])
      for (let time = 0; time < 2; time += 1)
        expect(await outcome(latchkey, flow, `https://${host}:${trap.port}/keys-${time}`)).toMatch(refusals)
      return trap.lookUps(host)
    })
    for (const lookUps of await Promise.all(tried)) expect(lookUps).toBeGreaterThanOrEqual(2)
    expect(trap.attempts().slice(before).filter(isSpecialAddress)).toEqual([])
  })

  it.each(Object.entries(flows))('is asked where the operator allows its host: %s', async (_name, flow) => {
    const before = trap.connections()
    await outcome(latchkey, flow, `https://open.example.test:${trap.port}/keys`)
    expect(trap.connections()).toBeGreaterThan(before)
  })
})

describe('a server that is asked', () => {
  let latchkey: RunningLatchkey
  let trap: Trap
  let server: SectorServer

  beforeAll(async () => {
    server = await startSectorServer()
    trap = await openTrap()
    latchkey = await openFlows({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost' } })
  })
  afterAll(async () => {
    await latchkey.close()
    await trap[Symbol.asyncDispose]()
    await server.close()
  })

  it.each([301, 302, 303, 307, 308])('leads nowhere by a redirect (%i)', async (status) => {
    server.publish('{}', status, `http://localhost:${trap.port}/`)
    for (const flow of Object.values(flows))
      expect(await outcome(latchkey, flow, server.url)).not.toMatch(/^(2\d\d|created|nothing failed)/)
    expect([trap.attempts(), trap.connections()]).toEqual([[], 0])
  })

  const reading = Object.entries(flows).filter(([name]) => !name.startsWith('backchannel'))

  it.each(reading)('is not listened to without end: %s', async (_name, flow) => {
    server.publish(' '.repeat(1024 * 1024))
    expect(await outcome(latchkey, flow, server.url)).toMatch(refusals)
  })

  it('is left after five seconds where it says nothing', async () => {
    server.publish(undefined)
    const started = performance.now()
    const told = await Promise.all(Object.values(flows).map((flow) => outcome(latchkey, flow, server.url)))
    expect(told.filter((what) => /^(2\d\d|created|nothing failed)/.test(what))).toEqual([])
    expect(performance.now() - started).toBeLessThan(15_000)
  })
})
