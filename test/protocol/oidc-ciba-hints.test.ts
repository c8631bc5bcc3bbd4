import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { commandLineActor } from '../../src/kernel/http.ts'
import { answer, applications, ciba, signedInAs } from '../support/asking.ts'
import { type ClientKey, clientKey } from '../support/client-keys.ts'
import { disableUser, grace } from '../support/front-door.ts'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'
import { type RunningLatchkey, startLatchkey } from '../support/latchkey.ts'
import { callbackUrl, type RelyingParty, relyingParty } from '../support/relying-party.ts'
import { type SectorServer, startSectorServer } from '../support/sector-server.ts'
import { newVisitor } from '../support/visitor.ts'

const ada = { email: 'ada@example.test', name: 'Ada Lovelace', password: 'analytical engine 1843' }
const grantTypes = ['authorization_code', 'refresh_token', ciba]
const withoutCiba = { grantTypes: ['authorization_code'] }
/** Its sector is that of its keys. */
const withoutBrowser = { grantTypes: [ciba], redirectUris: [], sectorIdentifierUri: null }

describe('id_token_hint of a client that knows people by pairwise subjects', () => {
  let latchkey: RunningLatchkey
  let sector: SectorServer
  let keys: KeyServer
  let key: ClientKey
  let adaId: string

  beforeAll(async () => {
    sector = await startSectorServer()
    keys = await startKeyServer()
    key = await clientKey('ES256')
    keys.publish([key.publicJwk])
    sector.publish([callbackUrl, keys.url])
    latchkey = await startLatchkey({ environment: { LATCHKEY_PROVIDER_OUTBOUND_ALLOW_PRIVATE: 'true' } })
    adaId = await latchkey.createUser(ada)
    await latchkey.createUser(grace)
  })
  afterAll(async () => {
    await latchkey.close()
    await keys.close()
    await sector.close()
  })

  const bank = (input: Readonly<Record<string, unknown>> = {}): Promise<RelyingParty> => {
    const identifier = { subjectType: 'pairwise', sectorIdentifierUri: sector.url, ...input }
    const registration = {
      name: 'Bank',
      firstParty: true,
      grantTypes,
      authentication: 'private_key_jwt',
      jwksUri: keys.url,
      ...identifier,
      ...(identifier.subjectType === 'public' && { sectorIdentifierUri: null }),
    }
    return relyingParty(latchkey, registration, openid.PrivateKeyJwt({ key: key.privateKey, kid: key.kid }))
  }
  const idToken = async (party: RelyingParty, person = ada): Promise<string> =>
    (await party.signIn(newVisitor(), person)).id_token ?? ''
  const ask = ({ configuration }: RelyingParty, hint: string) =>
    openid.initiateBackchannelAuthentication(configuration, {
      scope: 'openid',
      id_token_hint: hint,
      binding_message: 'Table 7',
    })
  const errorOf = async (party: RelyingParty, hint: string): Promise<unknown> =>
    await ask(party, hint).then(
      () => 'no error',
      ({ error }) => error,
    )
  const update = async ({ client: { id } }: RelyingParty, input: Readonly<Record<string, unknown>>) => {
    const { resource } = latchkey.app.features.clients
    const item = await resource.find(id)
    if (item === undefined) throw new Error('The client is gone.')
    await resource.update(item, input, commandLineActor)
  }
  const isAsked = async (person: typeof ada): Promise<boolean> =>
    (await applications({ latchkey }, await signedInAs({ latchkey }, person))).text.includes('Table 7')

  it('asks the person that it is about, and nobody else, and what comes of it is a hint as good as any', async () => {
    const party = await bank()
    const hint = await idToken(party)
    await idToken(party, grace)
    const asked = await ask(party, hint)
    expect([await isAsked(grace), await isAsked(ada)]).toEqual([false, true])
    await answer({ latchkey }, await signedInAs({ latchkey }, ada), 'approve')
    const tokens = await openid.pollBackchannelAuthenticationGrant(party.configuration, {
      ...asked,
      interval: 0.01,
    })
    expect(tokens.claims()?.sub).toBe(decodeJwt(hint).sub)
    expect(await errorOf(party, tokens.id_token ?? '')).toBe('no error')
  })

  it('does so after it has expired', async () => {
    const party = await bank()
    const hint = await idToken(party)
    vi.setSystemTime(Date.now() + 7_200_000)
    try {
      expect(await errorOf(party, hint)).toBe('no error')
    } finally {
      vi.useRealTimers()
    }
  })

  it('says nothing of whose it is, nor that two of them are about the same person', async () => {
    const party = await bank()
    const [one, other] = [decodeJwt(await idToken(party)), decodeJwt(await idToken(party))]
    expect(one.sub).toBe(other.sub)
    expect(one.subject_ref).not.toBe(other.subject_ref)
    expect(JSON.stringify(one)).not.toContain(adaId)
  })

  it('has what tells the server of it only where the client may ask so', async () => {
    const open = await bank({ subjectType: 'public' })
    const without = await bank(withoutCiba)
    for (const party of [open, without])
      expect(decodeJwt(await idToken(party))).not.toHaveProperty('subject_ref')
    expect(await errorOf(open, await idToken(open))).toBe('no error')
  })

  it('is refused where it is another client’s, of the same sector or of another', async () => {
    const party = await bank()
    const own = await idToken(party)
    for (const other of [await bank(), await bank({ subjectType: 'public' })]) {
      expect(await errorOf(party, await idToken(other))).toBe('invalid_request')
      expect(await errorOf(other, own)).toBe('invalid_request')
    }
    expect(await errorOf(await bank(withoutBrowser), own)).toBe('invalid_request')
  })

  it('is refused once the client belongs to another sector, or knows people otherwise', async () => {
    const party = await bank()
    const hint = await idToken(party)
    await update(party, withoutBrowser)
    expect(await errorOf(party, hint)).toBe('unknown_user_id')
    await update(party, { subjectType: 'public' })
    expect(await errorOf(party, hint)).toBe('unknown_user_id')
  })

  it('is refused where it came before the client might ask so, or by a subject that was public', async () => {
    const late = await bank(withoutCiba)
    const early = await idToken(late)
    await update(late, { grantTypes })
    expect(await errorOf(late, early)).toBe('unknown_user_id')
    expect(await errorOf(late, await idToken(late))).toBe('no error')
    const changing = await bank({ subjectType: 'public' })
    const open = await idToken(changing)
    await update(changing, { subjectType: 'pairwise', sectorIdentifierUri: sector.url })
    expect(await errorOf(changing, open)).toBe('unknown_user_id')
  })

  it('is refused where it was tampered with', async () => {
    const party = await bank()
    const [header = '', payload = '', signature = ''] = (await idToken(party)).split('.')
    const theirs = decodeJwt(await idToken(party, grace))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const swapped = { ...claims, subject_ref: theirs.subject_ref, sub: theirs.sub }
    const forged = Buffer.from(JSON.stringify(swapped)).toString('base64url')
    expect(await errorOf(party, `${header}.${forged}.${signature}`)).toBe('invalid_request')
  })

  it('asks nobody who may not be served', async () => {
    const person = { ...grace, email: 'leaving@example.test' }
    const id = await latchkey.createUser(person)
    const party = await bank()
    const hint = await idToken(party, person)
    await disableUser(latchkey, id)
    expect(await errorOf(party, hint)).toBe('unknown_user_id')
  })
})
