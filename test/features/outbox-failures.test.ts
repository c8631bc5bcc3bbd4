import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/kernel/errors.ts'
import { keeping, onlyRow, put, rows } from '../support/outbox.ts'
import { openPost } from '../support/post.ts'

describe('a delivery that fails', () => {
  const failing = (error: () => Error) =>
    keeping('work', async () => {
      throw error()
    })

  it('is tried again after waits that double up to the longest one, with a word of why', async () => {
    const { delivery } = failing(() => new Error('no\r\nluck'))
    await using post = await openPost({ deliveries: [delivery], outbox: { longestWaitSeconds: 60 } })
    await put(post, 'work')
    const waits: number[] = []
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const before = post.clock.now()
      await post.deliver()
      const row = await onlyRow(post)
      expect(row).toMatchObject({
        attempts: attempt,
        lastError: 'no luck',
        abandonedAt: null,
        leasedUntil: null,
      })
      waits.push((row.availableAt.getTime() - before.getTime()) / 1000)
      await post.deliver()
      expect((await onlyRow(post)).attempts).toBe(attempt)
      post.clock.advance(Math.ceil(waits.at(-1) ?? 0) + 1)
    }
    for (const [index, base] of [10, 20, 40, 60, 60, 60].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(base * 0.75)
      expect(waits[index]).toBeLessThanOrEqual(base * 1.25)
    }
    expect(new Set(waits.slice(3)).size).toBeGreaterThan(1)
  })

  it('is given up in the end, kept to be tried again by hand, and then forgotten', async () => {
    let works = false
    const { got, delivery } = keeping('work', async () => {
      if (!works) throw new Error('no luck')
    })
    const outbox = { giveUpSeconds: 100, keepAbandonedSeconds: 3_600 }
    await using post = await openPost({ deliveries: [delivery], outbox })
    await put(post, 'work')
    for (let tries = 0; tries < 20; tries += 1) {
      await post.deliver()
      post.clock.advance(20)
    }
    const row = await onlyRow(post)
    expect(row.abandonedAt).not.toBeNull()
    expect(row.attempts).toBeLessThan(9)
    expect(await post.audited('outbox.given_up')).toMatchObject([
      { outcome: 'failure', detail: { topic: 'work', error: 'no luck' } },
    ])
    works = true
    expect(await post.outbox.queue.retry('other')).toBe(0)
    expect(await post.outbox.queue.retry('work', row.id)).toBe(1)
    await post.deliver()
    expect(got).toEqual(['work'])

    works = false
    await put(post, 'again')
    post.clock.advance(101)
    await post.deliver()
    expect((await onlyRow(post)).abandonedAt).not.toBeNull()
    const [, removal] = post.features.outbox.jobs ?? []
    await removal?.run()
    expect((await rows(post)).length).toBe(1)
    post.clock.advance(3_601)
    await removal?.run()
    expect(await rows(post)).toEqual([])
  })

  it('is given up at once where an error says that trying again is of no use', async () => {
    const { delivery } = failing(() => new AppError('work.refused', 422, 'Never.'))
    await using post = await openPost({ deliveries: [delivery] })
    await put(post, 'work')
    await post.deliver()
    expect(await onlyRow(post)).toMatchObject({ attempts: 1, lastError: 'Never.' })
    expect((await onlyRow(post)).abandonedAt).not.toBeNull()
    post.clock.advance(86_400)
    await post.deliver()
    expect((await onlyRow(post)).attempts).toBe(1)
  })

  it('keeps no more of an error than a line', async () => {
    const { delivery } = failing(() => new Error(`${'x'.repeat(5_000)}\u0000\u2028`))
    await using post = await openPost({ deliveries: [delivery] })
    await put(post, 'work')
    await post.deliver()
    expect((await onlyRow(post)).lastError).toBe('x'.repeat(300))
  })
})

describe('the payload', () => {
  it('is sealed at rest and does not open in another row', async () => {
    const { got, delivery } = keeping('work')
    await using post = await openPost({ deliveries: [delivery] })
    await put(post, { secret: 'token-abcdef' })
    await put(post, { secret: 'token-ghijkl' })
    const [first, second] = await rows(post)
    expect(JSON.stringify([first, second])).not.toContain('token-')
    await post.storage.db.outboxMessage.update({
      where: { id: first?.id ?? '' },
      data: { sealed: second?.sealed ?? '' },
    })
    await post.deliver()
    expect(got).toEqual([{ secret: 'token-ghijkl' }])
    expect((await onlyRow(post)).lastError).toContain('does not open')
    const logged = inspect(post.log.lines, { depth: 20, showHidden: true })
    expect(logged).not.toContain('token-')
  })
})

describe('what a process leaves behind', () => {
  it('is done by another one when its lease has run out, and not before', async () => {
    const { got, delivery } = keeping('work')
    await using post = await openPost({ deliveries: [delivery] })
    await put(post, 'work')
    // As a process does that is killed after its claim.
    const at = post.clock.now()
    const leasedUntil = new Date(at.getTime() + 60_000)
    await post.storage.db.outboxMessage.updateMany({
      data: { attempts: 1, availableAt: leasedUntil, leasedUntil },
    })
    expect(await post.outbox.queue.retry('work')).toBe(0)
    post.clock.advance(59)
    await post.deliver()
    expect(got).toEqual([])
    post.clock.advance(1)
    await post.deliver()
    expect(got).toEqual(['work'])
  })

  it('is broken off at the end of the server’s patience and done by the next one at once', async () => {
    const begun = Promise.withResolvers<void>()
    const stuck = keeping('work', () => {
      begun.resolve()
      return new Promise(() => {})
    })
    const { got, delivery } = keeping('work')
    await using post = await openPost({ deliveries: [stuck.delivery] })
    await put(post, 'work')
    post.outbox.worker.start()
    const delivering = post.deliver()
    await begun.promise
    await post.outbox.worker.stop(0)
    await delivering
    const other = await post.openAnother({ deliveries: [delivery] })
    await other.deliver()
    expect(got).toEqual(['work'])
  })

  it('lets what is under way finish when the server stops, and begins nothing more', async () => {
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const { got, delivery } = keeping('work', async () => {
      begun.resolve()
      await finish.promise
    })
    await using post = await openPost({ deliveries: [delivery], outbox: { atOnce: 1 } })
    await put(post, 'first')
    await put(post, 'second')
    const delivering = post.deliver()
    await begun.promise
    const stopping = post.outbox.worker.stop(30)
    finish.resolve()
    await Promise.all([stopping, delivering])
    expect(got.length).toBe(1)
    expect((await rows(post)).length).toBe(1)
  })
})
