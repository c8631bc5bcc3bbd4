import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { listen } from '../../src/host/server.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { parseAnswer } from '../support/wire.ts'

const opened = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, 'localhost', () => resolve(socket)).once('error', reject)
  })

const closed = (socket: Socket): Promise<Buffer> => {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => socket.once('close', () => resolve(Buffer.concat(chunks))))
}

describe('shutdown', () => {
  it('finishes a request under way, on a connection that would stay open, and takes no new one', async () => {
    const latchkey = await startLatchkey({ environment: { LATCHKEY_HOST_SHUTDOWN_SECONDS: '30' } })
    const { port } = latchkey.server
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'nobody',
      client_secret: 'x',
    }).toString()
    const busy = await opened(port)
    const idle = await opened(port)
    const [answer, nothing] = [closed(busy), closed(idle)]
    // The server has the head of the request when it says that it waits for the rest.
    const waits = new Promise((resolve) => busy.once('data', resolve))
    busy.write(
      `POST /token HTTP/1.1\r\nHost: ${new URL(latchkey.issuer).host}\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    await waits

    const started = performance.now()
    const stopped = latchkey.server.stop()
    expect((await nothing).length).toBe(0)
    await expect(opened(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    busy.write(body)
    const text = (await answer).toString('latin1').replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
    expect(parseAnswer(Buffer.from(text, 'latin1'))).toMatchObject({ status: 401 })
    await stopped
    expect(performance.now() - started).toBeLessThan(15_000)
    await latchkey.close()
  })

  it('breaks off what is fetched of others, and fetches nothing any more', async () => {
    const arrived = Promise.withResolvers<void>()
    const silent = createServer(() => arrived.resolve())
    await new Promise<void>((resolve) => silent.listen(0, 'localhost', resolve))
    const url = `http://localhost:${(silent.address() as AddressInfo).port}/`
    const latchkey = await startLatchkey({
      environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_HOSTS: 'localhost' },
    })
    const fetching = latchkey.app.outbound(url).catch((error: unknown) => error)
    await arrived.promise
    await latchkey.close()
    expect(await fetching).toBeInstanceOf(Error)
    await expect(latchkey.app.outbound(url)).rejects.toMatchObject({ code: 'outbound.closed' })
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
  })

  it('closes what does not finish in time', async () => {
    const listening = await listen(() => {}, { port: 0, address: 'localhost' })
    const socket = await opened(listening.port)
    const ended = closed(socket)
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await listening.drain(0.2)
    expect((await ended).length).toBe(0)
  })

  it('leaves the port to the next', async () => {
    const first = await listen(() => {}, { port: 0, address: 'localhost' })
    await expect(listen(() => {}, { port: first.port, address: 'localhost' })).rejects.toMatchObject({
      code: 'host.port_in_use',
      message: expect.stringContaining(`PORT=${first.port + 1}`),
    })
    await first.drain(1)
    const second = await listen(() => {}, { port: first.port, address: 'localhost' })
    expect(second.port).toBe(first.port)
    await second.drain(1)
  })

  it('does not begin on an address of another machine, and names the setting', async () => {
    await expect(listen(() => {}, { port: 0, address: '192.0.2.1' })).rejects.toMatchObject({
      code: 'host.cannot_listen',
      message: expect.stringContaining('LATCHKEY_LISTEN_ADDRESS'),
    })
  })
})
