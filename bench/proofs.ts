import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { Endpoints } from './target.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = publicKey.export({ format: 'jwk' })

/** The key by which the client `fapi` proves itself; its tokens are bound to the same one. */
export const fapiKeys = { registered: { ...jwk, alg: 'ES256', use: 'sig', kid: 'bench' } } as const

/** A client assertion (RFC 7523 §2.2), which works once. */
export function assertionForm(clientId: string, issuer: string): Record<string, string> {
  const now = Math.floor(Date.now() / 1000)
  return {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signed(
      privateKey,
      { kid: 'bench' },
      {
        ...{ iss: clientId, sub: clientId, aud: issuer },
        ...{ iat: now, exp: now + 300, jti: randomUUID() },
      },
    ),
  }
}

/** A DPoP proof for a POST (RFC 9449 §4.2), which works once. */
export const proofFor = (endpoint: Endpoints['token_endpoint']): string =>
  signed(
    privateKey,
    { typ: 'dpop+jwt', jwk },
    {
      ...{ htm: 'POST', htu: endpoint },
      ...{ iat: Math.floor(Date.now() / 1000), jti: randomUUID() },
    },
  )

function signed(key: KeyObject, header: object, payload: object): string {
  const input = [{ alg: 'ES256', ...header }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
