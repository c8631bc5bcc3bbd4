import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Configuration, Provider } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/features/signing-keys/generate.ts'
import { algorithms } from '../../src/features/signing-keys/signing-keys.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openSealing } from '../../src/kernel/sealing.ts'
import { joined } from '../../src/provider/area.ts'
import { encryption } from '../../src/provider/encryption/index.ts'
import type { OptionInputs } from '../../src/provider/inputs.ts'
import { clientKey } from '../support/client-keys.ts'

/**
 * What is offered, as the server configures it, registered with at the library's own door: a client that says all that it
 * can (OpenID Connect RP Metadata Choices 1.0) gets the first of it that the server can do, too.
 */
describe('choices of a client that registers', () => {
  let server: Server
  let issuer: string
  let jwks: object

  beforeAll(async () => {
    const keys = await Promise.all(algorithms.map(async (each) => (await generateKey(each)).privateJwk))
    jwks = {
      keys: [(await clientKey('ES256')).publicJwk, (await clientKey('RSA-OAEP-256', 'enc')).publicJwk],
    }
    const inputs = { sealing: openSealing(Buffer.alloc(32, 7)), clock: systemClock } as OptionInputs
    const ground = {
      jwks: { keys },
      cookies: { keys: ['test'] },
      clientAuthMethods: ['none', 'client_secret_basic', 'private_key_jwt'],
      features: {
        devInteractions: { enabled: false },
        introspection: { enabled: true },
        registration: { enabled: true },
      },
    } as Configuration
    const configuration = joined([ground, encryption.options?.(inputs) ?? {}])
    issuer = 'http://localhost'
    server = new Provider(issuer, configuration).listen(0, 'localhost')
    await new Promise((resolve) => server.once('listening', resolve))
    issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  const register = async (metadata: Readonly<Record<string, unknown>>) => {
    const response = await fetch(`${issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://shop.example/callback'], jwks, ...metadata }),
    })
    const body = (await response.json()) as Record<string, unknown>
    return { ...body, status: response.status } as Record<string, unknown>
  }

  it.each<[string, string, readonly string[], string]>([
    [
      'id_token_signing_alg_values_supported',
      'id_token_signed_response_alg',
      ['ES512', 'ES256', 'PS256'],
      'ES256',
    ],
    [
      'request_object_signing_alg_values_supported',
      'request_object_signing_alg',
      ['HS256', 'EdDSA'],
      'EdDSA',
    ],
    ['userinfo_signing_alg_values_supported', 'userinfo_signed_response_alg', ['none', 'PS256'], 'PS256'],
    [
      'authorization_signing_alg_values_supported',
      'authorization_signed_response_alg',
      ['ES256', 'RS256'],
      'ES256',
    ],
    [
      'introspection_signing_alg_values_supported',
      'introspection_signed_response_alg',
      ['PS512', 'PS256'],
      'PS256',
    ],
    ['subject_types_supported', 'subject_type', ['pairwise', 'public'], 'pairwise'],
    [
      'token_endpoint_auth_methods_supported',
      'token_endpoint_auth_method',
      ['client_secret_jwt', 'private_key_jwt'],
      'private_key_jwt',
    ],
  ])('%s becomes %s: the first that both can do', async (choices, chosen, offered, expected) => {
    const answer = await register({ [choices]: offered })
    expect([answer.status, answer[chosen]]).toEqual([201, expected])
    expect(answer).not.toHaveProperty(choices)
  })

  it('chooses an encryption with its cipher, and no weak one', async () => {
    const answer = await register({
      id_token_encryption_alg_values_supported: ['RSA1_5', 'RSA-OAEP', 'dir', 'A256KW', 'RSA-OAEP-256'],
      id_token_encryption_enc_values_supported: ['A192GCM', 'A256GCM'],
    })
    expect(answer).toMatchObject({
      status: 201,
      id_token_encrypted_response_alg: 'RSA-OAEP-256',
      id_token_encrypted_response_enc: 'A256GCM',
    })
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['nothing of it is supported', { id_token_signing_alg_values_supported: ['HS256', 'none'] }],
    ['it is empty', { id_token_signing_alg_values_supported: [] }],
    ['it is no list', { subject_types_supported: 'pairwise' }],
    ['it holds no text', { subject_types_supported: [1, null] }],
    [
      'it contradicts the single value',
      { id_token_signed_response_alg: 'ES256', id_token_signing_alg_values_supported: ['PS256'] },
    ],
  ])('refuses a choice where %s', async (_what, metadata) => {
    expect(await register(metadata)).toMatchObject({ status: 400, error: 'invalid_client_metadata' })
  })

  it('leaves a client alone that says one value of each', async () => {
    const answer = await register({ id_token_signed_response_alg: 'ES256', subject_type: 'public' })
    expect(answer).toMatchObject({
      status: 201,
      id_token_signed_response_alg: 'ES256',
      subject_type: 'public',
    })
  })
})
