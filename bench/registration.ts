import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Stream } from './load.ts'
import { parameters } from './parameters.ts'
import type { Target } from './target.ts'
import { type Answer, type Connection, openConnection } from './wire.ts'

const metadata = {
  client_name: 'Bench',
  redirect_uris: ['http://127.0.0.1:9999/callback'],
  token_endpoint_auth_method: 'none',
}
const registered = z.object({
  client_id: z.string(),
  registration_client_uri: z.url(),
  registration_access_token: z.string(),
})

function jsonRequest(method: string, url: string, { body, token }: { body: object; token?: string }): Buffer {
  const { host, pathname } = new URL(url)
  const text = JSON.stringify(body)
  const head = [
    `${method} ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`)
}

const registration = ({ endpoints }: Target): Buffer =>
  jsonRequest('POST', endpoints.registration_endpoint, { body: metadata })

/** Clients that register themselves (RFC 7591). */
export function registrationStream(target: Target): Stream {
  const request = registration(target)
  return {
    origin: target.issuer,
    connections: parameters.connections,
    next: () => request,
    expected: { status: 201, text: 'registration_access_token' },
  }
}

/**
 * Registers so many clients a second for so long, each of which changes its registration at once where `changing` says so
 * (RFC 7592). Fails the process where the server refuses one: what is measured beside it would mean nothing.
 */
export async function registerMeanwhile(
  target: Target,
  { perSecond, seconds, changing }: { perSecond: number; seconds: number; changing: boolean },
): Promise<void> {
  const connection = await openConnection(target.issuer, raise)
  const request = registration(target)
  const once = async (): Promise<void> => {
    const { client_id, registration_client_uri, registration_access_token } = registered.parse(
      JSON.parse((await answered(connection, request, 201)).body.toString()),
    )
    if (!changing) return
    const change = { body: { ...metadata, client_id }, token: registration_access_token }
    await answered(connection, jsonRequest('PUT', registration_client_uri, change), 200)
  }
  void (async () => {
    const startedAt = performance.now()
    for (let count = 1; performance.now() - startedAt < seconds * 1000; count += 1) {
      await once()
      await pause(Math.max(0, startedAt + (count * 1000) / perSecond - performance.now()))
    }
    connection.close()
  })()
}

const raise = (error: Error): never => {
  throw error
}

async function answered(connection: Connection, request: Buffer, status: number): Promise<Answer> {
  const answer = await new Promise<Answer>((resolve) => connection.send(request, resolve))
  if (answer.status !== status)
    throw new Error(`a registration was answered with ${answer.status}: ${answer.body.toString()}`)
  return answer
}
