import { expect, it } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { openFrontDoor } from '../support/front-door.ts'

const sideEffect = '<img src=x onerror=alert(1)>'

it('the page of activity leads back through all of it without scripts, and shows text as text', async () => {
  await using door = await openFrontDoor({ client: { name: 'Shop & <b>Co</b>' } })
  const { issuer, app } = door.latchkey
  const visitor = await door.signedIn()
  const start = Date.now() - 60_000
  const row = (userId: string, index: number, clientId: string | null) => ({
    id: newId(),
    at: new Date(start - index * 60_000),
    action: 'login.signed_in',
    outcome: 'success',
    userId,
    clientId,
    userAgent: `${sideEffect} ${index}`,
  })
  await app.storage.db.auditEvent.createMany({
    data: [
      ...Array.from({ length: 40 }, (_, index) => row(door.adaId, index, door.client.id)),
      row('somebody else', 0, null),
    ],
  })
  const first = await visitor.get(`${issuer}/account/activity`)
  expect(first.text).toContain('You signed in to Shop &amp; &lt;b&gt;Co&lt;/b&gt;')
  expect(first.text).not.toContain(sideEffect)
  const href = /href="(\/account\/activity\/audit\/older\?after=[^"]+)"/.exec(first.text)?.[1] ?? ''
  const second = await visitor.get(`${issuer}${href}`)
  expect(second.text).toContain('Earlier activity')
  const times = (text: string) => [...text.matchAll(/<li[^>]*>\s*<p class="happening"/g)].length
  expect(times(first.text) + times(second.text)).toBeGreaterThanOrEqual(41)
  expect(second.text).not.toContain('older?after=')
  for (const after of ['x', '%00', '..%2f..'])
    expect((await visitor.get(`${issuer}/account/activity/audit/older?after=${after}`)).status).toBe(400)
})
