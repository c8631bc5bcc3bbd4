import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { times } from '../support/application.ts'
import { keeping, put, rows } from '../support/outbox.ts'
import { openPost, type Post } from '../support/post.ts'

describe('the outbox', () => {
  it('delivers what was put, and keeps nothing of it', async () => {
    const { got, delivery } = keeping('work')
    await using post = await openPost({ deliveries: [delivery] })
    await put(post, { a: [1, 'two'] })
    await post.deliver()
    expect(got).toEqual([{ a: [1, 'two'] }])
    expect(await rows(post)).toEqual([])
    await post.deliver()
    expect(got.length).toBe(1)
  })

  it('delivers nothing of a transaction that was undone', async () => {
    const { got, delivery } = keeping('work')
    await using post = await openPost({ deliveries: [delivery] })
    post.outbox.worker.start()
    const undone = post.storage.transaction(async (db) => {
      await post.outbox.outbox.put(db, 'work', 'never')
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await put(post, 'told')
    await post.deliver()
    expect(got).toEqual(['told'])
  })

  it('delivers by itself right after the commit, once started, and not before', async () => {
    const arrived = Promise.withResolvers<void>()
    const { got, delivery } = keeping('work', async () => arrived.resolve())
    await using post = await openPost({ deliveries: [delivery] })
    await put(post, 'before')
    post.outbox.worker.start()
    await put(post, 'now')
    await arrived.promise
    await post.deliver()
    expect(got.toSorted()).toEqual(['before', 'now'])
    await post.outbox.worker.stop(1)
  })

  it('delivers what a delivery puts in its turn', async () => {
    const later: { post?: Post } = {}
    const first = keeping('first', async () => {
      if (later.post !== undefined) await put(later.post, 'second', 'second')
    })
    const second = keeping('second')
    await using post = await openPost({ deliveries: [second.delivery, first.delivery] })
    later.post = post
    await put(post, 'first', 'first')
    await post.deliver()
    expect(second.got).toEqual(['second'])
  })

  it('does at most so many at a time, and the rest as soon as one is done', async () => {
    let underWay = 0
    let most = 0
    const three = Promise.withResolvers<void>()
    const { got, delivery } = keeping('work', async () => {
      underWay += 1
      most = Math.max(most, underWay)
      if (underWay === 3) three.resolve()
      await three.promise
      await setImmediate()
      underWay -= 1
    })
    await using post = await openPost({ deliveries: [delivery], outbox: { atOnce: 3 } })
    await post.storage.transaction(async (db) => {
      for (let count = 0; count < 120; count += 1) await post.outbox.outbox.put(db, 'work', count)
    })
    await post.deliver()
    expect(most).toBe(3)
    expect(new Set(got).size).toBe(120)
    expect(got.length).toBe(120)
  })

  it('goes on with others while one hangs', async () => {
    const hanging = Promise.withResolvers<void>()
    const all = Promise.withResolvers<void>()
    let count = 0
    const { got, delivery } = keeping('work', async (payload) => {
      if (payload === 'hangs') return await hanging.promise
      count += 1
      if (count === 10) all.resolve()
    })
    await using post = await openPost({ deliveries: [delivery], outbox: { atOnce: 2 } })
    await put(post, 'hangs')
    const delivering = post.deliver()
    for (let each = 0; each < 10; each += 1) await put(post, each)
    const second = post.deliver()
    await all.promise
    hanging.resolve()
    await Promise.all([delivering, second])
    expect(got.length).toBe(11)
  })
})

it('is told of a commit after it, and of nothing that was undone', async () => {
  await using post = await openPost()
  const { storage } = post
  const told: string[] = []
  await storage.transaction(async (db) => {
    storage.afterCommit(db, () => told.push('commit'))
    await db.outboxMessage.count()
    expect(told).toEqual([])
  })
  expect(told).toEqual(['commit'])
  const undone = storage.transaction(async (db) => {
    storage.afterCommit(db, () => told.push('undone'))
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  expect(told).toEqual(['commit'])
  const { promise, resolve } = Promise.withResolvers<void>()
  storage.afterCommit(storage.db, resolve)
  await promise
})

it('hands each message to one of several that deliver at the same time', async () => {
  const { got, delivery } = keeping('work', () => setImmediate())
  const options = { deliveries: [delivery] }
  await using post = await openPost(options)
  await times(40, (index) => put(post, index))
  const others = await times(4, () => post.openAnother(options))
  await Promise.all([post, ...others].map((each) => each.deliver()))
  expect((got as number[]).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index))
})
