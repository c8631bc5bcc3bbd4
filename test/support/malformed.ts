/**
 * A Latchkey that is sent what nobody should send, and must refuse it and go on.
 *
 *     const target = await openTarget()
 *     expectRefused(await target.get('/%00'), 'NUL')
 *     await target.close()
 */
import { expect } from 'vitest'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import { newVisitor } from './visitor.ts'
import { exchange, type WireAnswer } from './wire.ts'

type Headers = readonly (readonly [name: string, value: string])[]

export interface Target {
  readonly door: FrontDoor
  readonly host: string
  readonly port: number
  get(target: string, headers?: Headers): Promise<WireAnswer>
  /** A form from our own origin; `headers` come after its own. */
  post(target: string, body: string | Buffer, headers?: Headers): Promise<WireAnswer>
  /** Looks whether the server goes on as if nothing had been, and ends it. */
  close(): Promise<void>
}

export const formType = 'application/x-www-form-urlencoded'

export async function openTarget(): Promise<Target> {
  const door = await openFrontDoor()
  const { issuer, logged, server } = door.latchkey
  const { host } = new URL(issuer)
  const { port } = server
  return {
    door,
    host,
    port,
    get: (target, headers = [['Accept', 'text/html']]) => exchange(port, { target, host, headers }),
    post: (target, body, headers = []) =>
      exchange(port, {
        method: 'POST',
        target,
        host,
        body,
        headers: [['Content-Type', formType], ['Origin', issuer], ...headers],
      }),
    async close() {
      expect((await door.signIn(newVisitor())).location).toMatch(/^http:\/\/localhost:9999\/callback\?code=/)
      expect(logged.filter((line) => line.startsWith('{"level":"error"'))).toEqual([])
      await door[Symbol.asyncDispose]()
    },
  }
}

export const expectRefused = (status: number, what: string): void => {
  expect(status, what).toBeGreaterThanOrEqual(400)
  expect(status, what).toBeLessThan(500)
}
