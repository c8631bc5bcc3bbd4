import { expect, it } from 'vitest'
import { policySchema } from '../../src/features/client-registrations/policy.ts'
import { fixedClock } from '../support/clock.ts'
import { startLatchkey } from '../support/latchkey.ts'

const command = (latchkey: Awaited<ReturnType<typeof startLatchkey>>, verb: string) => {
  const found = latchkey.app.features.clientRegistrations.commands?.find(({ words }) => words[1] === verb)
  if (found === undefined) throw new Error(`There is no ${verb}`)
  return found
}

it('makes, lists and revokes initial access tokens, whose value is stored nowhere', async () => {
  await using latchkey = await startLatchkey({ clock: fixedClock() })
  const made = await command(latchkey, 'create-token').run({ label: 'Partner', uses: 2 })
  const { id, token } = made.json as { id: string; token: string }
  expect(made.text).toContain(token)
  const rows = await latchkey.app.storage.db.initialAccessToken.findMany()
  expect(JSON.stringify(rows)).not.toContain(token)
  const listed = await command(latchkey, 'list-tokens').run({})
  expect(listed.json).toMatchObject([{ id, label: 'Partner', usesLeft: 2, expired: false }])
  expect(JSON.stringify(listed)).not.toContain(token)
  await command(latchkey, 'revoke-token').run({ id })
  expect((await command(latchkey, 'list-tokens').run({})).json).toEqual([])
  await expect(command(latchkey, 'revoke-token').run({ id })).rejects.toMatchObject({ status: 404 })
})

it('refuses a token that has expired, and a job takes it away', async () => {
  const clock = fixedClock()
  await using latchkey = await startLatchkey({
    clock,
    environment: { LATCHKEY_CLIENT_REGISTRATIONS_MODE: 'token' },
  })
  const { clientRegistrations } = latchkey.app.features
  const { token } = await clientRegistrations.tokens.create({
    expiresInDays: 1,
    policy: policySchema.parse({}),
  })
  clock.advance(86_401)
  const response = await fetch(`${latchkey.issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      redirect_uris: ['https://app.example.com/cb'],
      token_endpoint_auth_method: 'none',
    }),
  })
  expect(response.status).toBe(401)
  for (const job of clientRegistrations.jobs ?? []) await job.run()
  expect(await clientRegistrations.tokens.list()).toEqual([])
})

it('starts with no policy that it does not understand', async () => {
  const policy = { LATCHKEY_CLIENT_REGISTRATIONS_POLICY: '{"forced":{"firstParty":true}}' }
  await expect(startLatchkey({ environment: policy })).rejects.toThrow(/LATCHKEY_CLIENT_REGISTRATIONS_POLICY/)
})
