import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import type Provider from 'oidc-provider'
import { expect, it } from 'vitest'
import { AppError } from '../../src/kernel/errors.ts'
import type { InstanceInputs } from '../../src/provider/inputs.ts'
import { registration } from '../../src/provider/registration/index.ts'

const inputs = (error: Error): InstanceInputs =>
  ({
    issuer: 'https://id.test',
    ports: {
      accounts: { scopes: {} },
      registrations: { offers: { registration: true }, register: async () => await Promise.reject(error) },
    },
  }) as unknown as InstanceInputs

it.each([
  [400, 'input.invalid', true],
  [503, 'client-registrations.full', true],
  [500, 'clients.broken', false],
  [502, 'outbound.special_address', false],
])('a refusal with %i goes to the client, a failure to the log alone', async (status, code, isTold) => {
  const app = new Koa()
  const failures: unknown[] = []
  app.on('error', (error) => failures.push(error))
  registration.extend?.(app as unknown as Provider, inputs(new AppError(code, status, 'What went wrong.')))
  await using server = app.listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://localhost:${port}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  const text = await response.text()
  expect(text.includes('What went wrong.')).toBe(isTold)
  expect(failures).toHaveLength(isTold ? 0 : 1)
})
