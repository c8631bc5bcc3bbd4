import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { movableClock } from '../support/clock.ts'
import { enterCode, registerDevice, toApproval, typeCode } from '../support/devices.ts'
import { ada } from '../support/front-door.ts'
import { startLatchkey } from '../support/latchkey.ts'
import { newVisitor } from '../support/visitor.ts'

describe('a user code', () => {
  it('is understood however it is typed', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    for (const typed of [
      (code: string) => code.toLowerCase(),
      (code: string) => code.replace('-', ''),
      (code: string) => ` ${code.replace('-', ' ')} `,
      (code: string) => code.replace('-', '\u2013').toLowerCase(),
    ]) {
      const { user_code } = await tv.begin()
      const page = await typeCode(newVisitor(), latchkey, typed(user_code))
      expect(page.text).toContain('Television')
    }
  })

  it.each(['AAAA-AAAA', 'BCDF', '12345678', '../../etc', 'BCDF-GHJK-LMNP', '_______', 'ВВВВ-ВВВВ', '💥'])(
    'that is none is refused, shown again and looked up nowhere: %s',
    async (typed) => {
      await using latchkey = await startLatchkey()
      const page = await typeCode(newVisitor(), latchkey, typed)
      expect(page.status).toBe(400)
      expect(page.text).toContain('There is no such code')
    },
  )

  it('stands nowhere in the database, nor does the device code', async () => {
    await using latchkey = await startLatchkey()
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const asked = await tv.begin()
    await toApproval(newVisitor(), asked, ada)
    const rows = JSON.stringify(await latchkey.app.storage.db.artefact.findMany(), (_key, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value,
    )
    const letters = asked.user_code.replace('-', '')
    expect(rows).toContain('DeviceCode')
    for (const secret of [asked.user_code, letters, asked.device_code]) expect(rows).not.toContain(secret)
    for (const text of [letters, asked.user_code])
      for (const encoding of ['hex', 'base64', 'base64url'] as const)
        expect(rows).not.toContain(createHash('sha256').update(text).digest(encoding))
  })

  it('is guessed at five times from an address, then not looked up for a while, whoever has a code of his own', async () => {
    const clock = movableClock()
    await using latchkey = await startLatchkey({ clock })
    await latchkey.createUser(ada)
    const tv = await registerDevice(latchkey)
    const attacker = newVisitor()
    for (const code of ['BBBB-BBBB', 'BBBB-BBBC', 'BBBB-BBBD', 'BBBB-BBBF', 'BBBB-BBBG']) {
      const own = await tv.begin()
      expect((await typeCode(attacker, latchkey, own.user_code)).text).toContain('Television')
      expect((await typeCode(attacker, latchkey, code)).status).toBe(400)
    }
    const { user_code } = await tv.begin()
    const page = await typeCode(newVisitor(), latchkey, user_code)
    expect(page.status).toBe(429)
    expect(page.headers.get('retry-after')).toBe('30')
    expect(page.text).toContain('Too many wrong codes')
    clock.advance(31)
    expect((await typeCode(newVisitor(), latchkey, user_code)).text).toContain('Television')
  })

  it('that two devices have leads to neither', async () => {
    await using latchkey = await startLatchkey()
    const tv = await registerDevice(latchkey)
    const [one] = [await tv.begin(), await tv.begin()]
    const { db } = latchkey.app.storage
    const rows = await db.artefact.findMany({ where: { model: 'DeviceCode' }, select: { userCode: true } })
    await db.artefact.updateMany({
      where: { model: 'DeviceCode', userCode: { in: rows.map(({ userCode }) => userCode ?? '') } },
      data: { userCode: rows[0]?.userCode ?? '' },
    })
    expect((await enterCode(newVisitor(), one)).text).toContain('There is no such code')
  })
})
