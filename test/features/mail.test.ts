import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { after } from '../../src/kernel/clock.ts'
import { times } from '../support/application.ts'
import { openPost, type Post } from '../support/post.ts'

const anna = 'anna@example.test'
const test = (to: string) => ({ to, template: 'test' })

const recipients = async (post: Post): Promise<readonly string[]> => {
  await post.deliver()
  return (await post.inbox()).map(({ to }) => to)
}

/** Whatever could lead a mail, or a second one, elsewhere. */
const refused = [
  'anna@example.test\r\nBcc: eve@example.test',
  'anna@example.test\n',
  '\nanna@example.test',
  'anna@example.test\u0000',
  'anna@example.test, eve@example.test',
  'anna@example.test;eve@example.test',
  'anna@example.test eve@example.test',
  'Anna <anna@example.test>',
  '<anna@example.test>',
  '"anna@example.test" <eve@example.test>',
  'anna@example.test (anna)',
  'undisclosed: anna@example.test;',
  '@relay.test:anna@example.test',
  '"anna smith"@example.test',
  'anna@[127.0.0.1]',
  'anna@localhost',
  'anna',
  '',
  ' ',
  'anna@@example.test',
  'аnna@example.test',
  'anna＠example.test',
  'anna@exаmple.test',
  'anna\u202e@example.test',
  'anna\u2028@example.test',
  'anna=?utf-8?q?x?=@example.test',
  `${'a'.repeat(65)}@example.test`,
  `a@${'b'.repeat(250)}.test`,
]
const taken = [anna, "Anna.O'Hara@example.test", 'a+b@sub.example.test', 'a_b-c@xn--exmple-cua.test']

describe('an address', () => {
  it('is refused unless it is exactly one', async () => {
    await using post = await openPost()
    for (const to of refused) {
      const sent = post.mail.send(test(to))
      await expect(sent, JSON.stringify(to)).rejects.toMatchObject({ code: 'mail.bad_address', status: 400 })
    }
    expect(await post.queue()).toEqual([])
  })

  it('is taken as it is', async () => {
    await using post = await openPost()
    for (const to of taken) await post.mail.send(test(to))
    expect((await recipients(post)).toSorted()).toEqual(taken.toSorted())
  })
})

describe('a mail', () => {
  it('goes out with the transaction of its cause, and is undone with it', async () => {
    await using post = await openPost({ mail: { addressPerHour: 1 } })
    const undone = post.storage.transaction(async (db) => {
      await post.mail.send(test(anna), db)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await recipients(post)).toEqual([])
    // What was not sent was not counted.
    await post.storage.transaction((db) => post.mail.send(test(anna), db))
    expect(await recipients(post)).toEqual([anna])
  })

  it('leads nowhere but to us', async () => {
    await using post = await openPost()
    for (const link of ['https://evil.test/', 'https://id.example.test.evil.test/x', 'javascript:alert(1)']) {
      await expect(post.mail.send({ ...test(anna), link })).rejects.toThrow('not ours')
    }
    expect(await post.queue()).toEqual([])
  })

  it('is not possible, and does no harm, in production without a server', async () => {
    await using post = await openPost({ development: false })
    expect(post.mail.available).toBe(false)
    await post.mail.send(test(anna))
    expect(await post.queue()).toEqual([])
    expect(JSON.stringify(post.log.lines)).toContain('no mail server is configured')
    expect(post.features.mail.inbox).toBeUndefined()
  })

  it('is possible in production with a server, and in development without', async () => {
    const mail = { smtpUrl: 'smtps://mail.example.test' }
    await using production = await openPost({ development: false, mail })
    await using development = await openPost()
    expect([production.mail.available, development.mail.available]).toEqual([true, true])
  })

  it('is sealed while it waits and where it is shown', async () => {
    await using post = await openPost()
    await post.mail.send({ ...test(anna), code: '271828' })
    expect(JSON.stringify(await post.storage.db.outboxMessage.findMany())).not.toMatch(/anna|271828/)
    await post.deliver()
    const rows = await post.storage.db.capturedMail.findMany()
    expect(rows.length).toBe(1)
    expect(JSON.stringify(rows)).not.toMatch(/anna|271828/)
    expect(inspect(post.log.lines, { depth: 20, showHidden: true })).not.toMatch(/anna|271828/)
  })

  it('is shown by development mode under its own identifier alone', async () => {
    await using post = await openPost()
    await post.mail.send({ ...test(anna), code: '271828' })
    await post.deliver()
    const [mail] = await post.inbox()
    expect(await post.features.mail.inbox?.find(mail?.id ?? '')).toMatchObject({ to: anna, code: '271828' })
    expect(await post.features.mail.inbox?.find('other')).toBeUndefined()
  })

  it('is forgotten by development mode after a week', async () => {
    await using post = await openPost()
    await post.mail.send(test(anna))
    await post.deliver()
    const removal = post.features.mail.jobs?.find(({ name }) => name === 'mail.remove_captured')
    post.clock.advance(7 * 86_400)
    await removal?.run()
    expect((await post.inbox()).length).toBe(1)
    post.clock.advance(1)
    await removal?.run()
    expect(await post.inbox()).toEqual([])
  })
})

describe('the caps', () => {
  it('hold for an address under parallel attempts of several processes, and nobody is told', async () => {
    await using post = await openPost({ mail: { addressPerHour: 5 } })
    const other = await post.openAnother()
    await times(20, (index) => (index % 2 === 0 ? post : other).mail.send(test(anna)))
    expect(await recipients(post)).toEqual(Array.from({ length: 5 }, () => anna))
    // Strangers do not fill the record with it.
    expect(await post.audited('mail.capped')).toHaveLength(1)
    post.clock.advance(3_600)
    await times(7, () => post.mail.send(test(anna)))
    expect(await post.audited('mail.capped')).toHaveLength(2)
  })

  it('hold for an account under parallel attempts, to whichever addresses', async () => {
    await using post = await openPost({ mail: { accountPerHour: 4 } })
    await times(20, (index) => post.mail.send({ ...test(`anna-${index}@example.test`), userId: 'user-1' }))
    expect(await recipients(post)).toHaveLength(4)
    const [entry] = await post.audited('mail.capped')
    expect(entry).toMatchObject({ outcome: 'failure', userId: 'user-1', detail: { template: 'test' } })
  })

  it('of one kind of mail keep back no other, nor what is asked for behind a proof', async () => {
    await using post = await openPost({ mail: { addressPerHour: 2 } })
    const code = { to: anna, template: 'email-code', model: { application: 'Shop', minutes: 5 } }
    const reset = { to: anna, template: 'password-reset', model: { minutes: 5 } }
    await times(9, () => post.mail.send(code))
    expect(await recipients(post)).toHaveLength(2)
    await post.mail.send(reset)
    await times(9, () => post.mail.send({ ...code, isVouched: true }))
    expect(await recipients(post)).toHaveLength(5)
  })

  it('count an address however it is written, and whatever tag it bears', async () => {
    await using post = await openPost({ mail: { addressPerHour: 2 } })
    for (const to of [anna, 'ANNA@Example.TEST', 'anna+1@example.test', 'Anna+shop@example.test']) {
      await post.mail.send(test(to))
    }
    expect((await recipients(post)).toSorted()).toEqual(['ANNA@Example.TEST', anna])
    await post.mail.send(test('bert@example.test'))
    expect(await recipients(post)).toContain('bert@example.test')
  })

  it('open again when their window is over, the longer one after the shorter', async () => {
    await using post = await openPost({ mail: { addressPerHour: 2, addressPerDay: 5 } })
    const sent: number[] = []
    for (let hour = 0; hour < 4; hour += 1) {
      await times(10, () => post.mail.send(test(anna)))
      sent.push((await recipients(post)).length)
      post.clock.advance(3_600)
    }
    // What the shorter window refused did not use up the longer one.
    expect(sent).toEqual([2, 4, 5, 5])
    post.clock.advance(86_400)
    await post.mail.send(test(anna))
    expect(await recipients(post)).toHaveLength(6)
  })

  it('leave room for notices, however many mails others have caused', async () => {
    await using post = await openPost({ mail: { addressPerHour: 3, accountPerHour: 3 } })
    const userId = await post.person(anna)
    await times(10, () => post.mail.send({ ...test(anna), userId }))
    await post.storage.transaction((db) => post.notices.tell(db, { userId, what: 'password-changed' }))
    expect((await recipients(post)).length).toBe(4)
  })

  it('keep no address, and go when their window is over', async () => {
    await using post = await openPost()
    await post.mail.send({ ...test(anna), userId: 'user-1' })
    const counters = () => post.storage.db.mailCounter.findMany()
    expect((await counters()).length).toBe(4)
    expect(JSON.stringify((await counters()).map(({ key }) => key))).not.toMatch(/anna|user-1/)
    const removal = post.features.mail.jobs?.find(({ name }) => name === 'mail.remove_counters')
    post.clock.advance(3_600)
    await removal?.run()
    expect((await counters()).length).toBe(2)
    expect(
      (await counters()).every(
        ({ windowEndsAt }) => after(new Date(Number(windowEndsAt)), 0) > post.clock.now(),
      ),
    ).toBe(true)
  })
})
