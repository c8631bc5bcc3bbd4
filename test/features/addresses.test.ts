import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  change,
  codeEnded,
  fails,
  linkEnded,
  type OpenAddresses,
  openAddresses,
  request,
} from '../support/addresses.ts'
import { tally } from '../support/people.ts'

describe('a change of address', () => {
  let open: OpenAddresses
  beforeAll(async () => {
    open = await openAddresses()
  })
  afterAll(() => open[Symbol.asyncDispose]())
  beforeEach(() => open.next())

  /** Ada, who asked for another address. */
  const asked = async (own = {}) => {
    const ada = await open.person('ada', own)
    const asker = open.asker(ada)
    await open.addresses.askToChange(asker, open.email('new'))
    return { ada, asker, ...(await open.sent(open.email('new'))) }
  }

  it('replaces the old address once the new one is proven, by the code or by the link', async () => {
    for (const way of ['code', 'link']) {
      open.next()
      const { ada, asker, code, token } = await asked()
      expect((await open.users.get(ada.id)).email).toBe(ada.email)
      expect(await open.addresses.find(ada.id)).toMatchObject({ email: open.email('new') })
      if (way === 'code') await open.addresses.confirmByCode(asker, code)
      else await open.addresses.confirmByLink(token, request)
      expect(await open.users.get(ada.id)).toMatchObject({ email: open.email('new'), emailVerified: true })
      expect(await open.addresses.find(ada.id)).toBeUndefined()
    }
  })

  it('tells the old address at once that it was asked for, and both when it is done', async () => {
    const { asker, code } = await asked()
    const [old, ...more] = await open.mailsTo(open.email('ada'))
    expect(more).toEqual([])
    expect(old?.text).toContain(`asked to change its e-mail address to ${open.email('new')}`)
    expect(old?.text).not.toContain(code)
    open.clock.advance(1)
    await open.addresses.confirmByCode(asker, code)
    for (const to of ['ada', 'new'].map(open.email)) {
      const last = (await open.mailsTo(to)).at(-1)
      expect(last?.text).toContain(`was changed to ${open.email('new')}`)
    }
  })

  it('ends what is signed in elsewhere and pending, and keeps the session that asked', async () => {
    const { ada, asker, token } = await asked()
    const row = (id: string, sessionUid: string) =>
      open.db.artefact.create({
        data: { model: 'Interaction', id, sessionUid, payload: '{}', userId: ada.id },
      })
    await row(`own ${ada.id}`, asker.sessionUid ?? '')
    await row(`elsewhere ${ada.id}`, 'another session')
    // In whichever browser the link is opened.
    await open.addresses.confirmByLink(token, request)
    const where = { userId: ada.id, model: 'Interaction' }
    const kept = await open.db.artefact.findMany({ where, select: { id: true } })
    expect(kept).toEqual([{ id: `own ${ada.id}` }])
    expect(await open.db.artefact.count({ where: { userId: ada.id, model: 'Session' } })).toBe(1)
  })

  it('happens once for 20 parallel proofs, by code and link at the same time', async () => {
    const { ada, asker, code, token } = await asked()
    const counts = await tally(
      Array.from({ length: 20 }, (_, index) =>
        index % 4 === 0
          ? open.addresses.confirmByCode(asker, code)
          : open.addresses.confirmByLink(token, request),
      ),
    )
    expect(counts.success).toBe(1)
    const changes = await open.db.auditEvent.count({ where: { userId: ada.id, action: 'addresses.changed' } })
    expect(changes).toBe(1)
    open.clock.advance(60)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(codeEnded)
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
  })

  it('ends what was asked for before', async () => {
    const { ada, asker, code, token } = await asked()
    await open.addresses.askToChange(asker, open.email('newer'))
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(
      fails('addresses.wrong_code', 401),
    )
    await open.addresses.confirmByCode(asker, (await open.sent(open.email('newer'))).code)
    expect((await open.users.get(ada.id)).email).toBe(open.email('newer'))
  })

  it('takes its code only where it was asked for, and from nobody else', async () => {
    const { ada, asker, code } = await asked()
    const eve = await open.person('eve')
    for (const other of [
      open.asker(eve),
      { ...open.asker(eve), owner: asker.owner },
      { ...asker, owner: 'another session of hers' },
    ])
      await expect(open.addresses.confirmByCode(other, code)).rejects.toThrow(codeEnded)
    expect((await open.users.get(eve.id)).email).toBe(eve.email)
    await open.addresses.confirmByCode(asker, code)
    expect((await open.users.get(ada.id)).email).toBe(open.email('new'))
  })

  it('ends after five wrong codes, and waits get long for who asks again and again', async () => {
    const { ada, asker, code } = await asked()
    const wrong = () => open.addresses.confirmByCode(asker, code === '0000 0000' ? '0000 0001' : '0000 0000')
    const counts = await tally(Array.from({ length: 8 }, wrong))
    expect(counts['addresses.wrong_code']).toBe(5)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(
      fails('throttle.too_many_attempts', 429),
    )
    open.clock.advance(60)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(codeEnded)
    await open.addresses.askAgain(asker)
    await expect(wrong()).rejects.toThrow(fails('throttle.too_many_attempts', 429))
    expect((await open.users.get(ada.id)).email).toBe(ada.email)
  })

  it.each([
    ['expires', async () => open.clock.advance(3_600)],
    [
      'is cancelled',
      async (id: string) => {
        await open.addresses.cancel({ userId: id as never, owner: 'x', request })
      },
    ],
    [
      'meets a disabled user',
      async (id: string) => {
        await open.users.disable(id, change)
      },
    ],
    [
      'meets an address that an administrator changed meanwhile',
      async (id: string) => {
        await open.users.update(id, { email: open.email('given') }, change)
      },
    ],
    [
      'meets an address that was taken away meanwhile',
      async (id: string) => {
        await open.users.update(id, { email: null, username: 'nobody-else' }, change)
      },
    ],
  ] as const)('is over when it %s', async (_, happens) => {
    const { ada, asker, code, token } = await asked()
    await happens(ada.id)
    const before = await open.users.get(ada.id)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(codeEnded)
    await expect(open.addresses.readLink(token)).rejects.toThrow(linkEnded)
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
    expect((await open.users.get(ada.id)).email).toBe(before.email)
  })

  it('looks the same for an address that somebody has, and tells its owner alone', async () => {
    const grace = await open.person('grace')
    const ada = await open.person()
    const asker = open.asker(ada)
    await open.addresses.askToChange(asker, grace.email ?? '')
    const pending = await open.addresses.find(ada.id)
    expect(pending).toMatchObject({ email: grace.email })
    const mails = await open.mailsTo(grace.email ?? '')
    expect(mails).toHaveLength(1)
    expect(mails[0]).toMatchObject({
      code: '',
      link: '',
      subject: 'Somebody wants to use your e-mail address',
    })
    expect((await open.mailsTo(ada.email ?? ''))[0]?.text).toContain('asked to change its e-mail address')
    await open.addresses.askToChange(open.asker(await open.person('eve')), open.email('free'))
    const [taken, free] = await open.db.auditEvent.findMany({
      where: { action: 'addresses.change_asked' },
      orderBy: { at: 'desc' },
      take: 2,
    })
    expect(taken?.detail).toEqual(free?.detail)
  })

  it('leaves an address to whoever came to have it meanwhile', async () => {
    const { ada, asker, code, token } = await asked()
    await open.person('new')
    const taken = fails('addresses.taken', 409)
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(taken)
    await expect(open.addresses.confirmByCode(asker, code)).rejects.toThrow(taken)
    expect((await open.users.get(ada.id)).email).toBe(ada.email)
  })

  it.each([
    '',
    'ada',
    'ada@',
    'ada@example.test\r\nBcc: eve@example.test',
    'ada@example.test, eve@example.test',
    'Ada <ada@example.test>',
    'ada@example.test\0',
    'аda@example.test',
    'ada@exаmple.test',
    'ada@example.test\u202e',
    `${'a'.repeat(300)}@example.test`,
  ])('refuses %j', async (email) => {
    const ada = await open.person()
    await expect(open.addresses.askToChange(open.asker(ada), email)).rejects.toThrow(
      fails('users.email_invalid', 400),
    )
    expect(await open.addresses.find(ada.id)).toBeUndefined()
  })

  it('refuses the same address, however it is written', async () => {
    const ada = await open.person()
    for (const email of [ada.email ?? '', (ada.email ?? '').toUpperCase(), ` ${ada.email} `])
      await expect(open.addresses.askToChange(open.asker(ada), email)).rejects.toThrow(
        fails('addresses.same', 409),
      )
  })

  it('says how long to wait before another mail, and sends a new code then', async () => {
    const { asker, code, token } = await asked()
    open.clock.advance(15)
    const early = expect.objectContaining({ code: 'addresses.asked_too_soon', retryAfterSeconds: 45 })
    await expect(open.addresses.askAgain(asker)).rejects.toThrow(early)
    await expect(open.addresses.askToChange(asker, open.email('new'))).rejects.toThrow(early)
    open.clock.advance(45)
    await open.addresses.askAgain(asker)
    const again = await open.sent(open.email('new'))
    expect(again.code).not.toBe(code)
    await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
    await open.addresses.confirmByCode(asker, again.code)
  })

  it('shows a link without changing anything, and stores neither it nor the code readably', async () => {
    const { ada, code, token } = await asked()
    for (let times = 0; times < 3; times += 1)
      expect(await open.addresses.readLink(token)).toMatchObject({ email: open.email('new'), isChange: true })
    expect((await open.users.get(ada.id)).email).toBe(ada.email)
    const stored = JSON.stringify([
      await open.db.addressProof.findMany(),
      await open.db.challenge.findMany(),
      await open.db.outboxMessage.findMany(),
      await open.db.auditEvent.findMany(),
    ])
    for (const secret of [token, code, code.replace(' ', '')]) expect(stored).not.toContain(secret)
  })

  it.each(['', '\0', 'a'.repeat(43), 'a'.repeat(100_000)])(
    'knows nothing of a made-up link',
    async (token) => {
      await expect(open.addresses.readLink(token)).rejects.toThrow(linkEnded)
      await expect(open.addresses.confirmByLink(token, request)).rejects.toThrow(linkEnded)
    },
  )

  it('is part of what a person may have a copy of, and removed when it is old', async () => {
    const { ada } = await asked()
    expect(await open.feature.export?.(ada.id)).toMatchObject({ pending: { email: open.email('new') } })
    open.clock.advance(3_600)
    const job = open.feature.jobs?.[0]
    expect(await job?.run()).toEqual({ more: false })
    expect(await open.db.addressProof.count({ where: { userId: ada.id } })).toBe(0)
    expect(await open.feature.export?.(ada.id)).toEqual({ pending: null })
  })

  it('is for an account without an address, too', async () => {
    const ada = await open.person('ada', { email: null, username: 'ada-without' })
    const asker = open.asker(ada)
    await open.addresses.askToChange(asker, open.email('first'))
    await open.addresses.confirmByCode(asker, (await open.sent(open.email('first'))).code)
    expect(await open.users.get(ada.id)).toMatchObject({ email: open.email('first'), emailVerified: true })
  })
})
