/**
 * A trap on this machine that nobody must run into, names that lead to it, and a record of every attempt to connect.
 *
 *     await using trap = await openTrap()
 *     trap.name('rebinding.example.test', [['93.184.215.14'], ['127.0.0.1']])
 *     expect(trap.attempts()).toEqual([])
 */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, createServer, isIPv6, type Server, Socket } from 'node:net'

export interface Trap extends AsyncDisposable {
  /** The same at 127.0.0.1 and ::1. */
  readonly port: number
  /** What a name resolves to: at the first look-up, the second one, and the last one from then on. */
  name(host: string, answers: readonly (readonly string[])[]): void
  /** How often the name was looked up. */
  lookUps(host: string): number
  /** The addresses to which something tried to connect at the port of the trap, successfully or not. */
  attempts(): readonly string[]
  /** How often somebody got through. */
  connections(): number
}

const listening = (server: Server, host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, host, () => resolve(true))
  })

type Found = { readonly address: string; readonly family: number }
type Answered = (error: Error | null, found: Found[] | string, family?: number) => void

export async function openTrap(): Promise<Trap> {
  let connections = 0
  const trap = (): Server =>
    createServer((socket) => {
      connections += 1
      socket.destroy()
    })
  const servers = [trap(), trap()] as const
  await listening(servers[0], '127.0.0.1', 0)
  const { port } = servers[0].address() as AddressInfo
  // Where the machine has IPv6.
  await listening(servers[1], '::1', port)

  const attempts: string[] = []
  const { connect } = Socket.prototype
  Socket.prototype.connect = function recorded(this: Socket, ...given: unknown[]) {
    this.on('connectionAttempt', (address: string, at: number) => {
      if (at === port) attempts.push(address)
    })
    return Reflect.apply(connect, this, given) as Socket
  } as typeof connect

  const names = new Map<string, { readonly answers: readonly (readonly string[])[]; asked: number }>()
  const { lookup } = dns
  const answering = (host: string, options: { readonly all?: boolean }, told: Answered): void => {
    const known = names.get(host)
    if (known === undefined) return void Reflect.apply(lookup, dns, [host, options, told])
    const addresses = known.answers[Math.min(known.asked, known.answers.length - 1)] ?? []
    known.asked += 1
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
    const [first] = found
    process.nextTick(() =>
      options.all === true ? told(null, found) : told(null, first?.address ?? '', first?.family),
    )
  }
  const patch = (patched: typeof lookup): void => {
    dns.lookup = patched
    syncBuiltinESMExports()
  }
  patch(answering as unknown as typeof lookup)

  return {
    port,
    name: (host, answers) => void names.set(host, { answers, asked: 0 }),
    lookUps: (host) => names.get(host)?.asked ?? 0,
    attempts: () => attempts,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      patch(lookup)
      Socket.prototype.connect = connect
      for (const server of servers) if (server.listening) await new Promise((done) => server.close(done))
    },
  }
}
