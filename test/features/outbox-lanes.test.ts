import { expect, it } from 'vitest'
import { openLanes } from '../../src/features/outbox/lanes.ts'

/** Lanes over answers that are given by hand. */
function openByHand(atOnce: number) {
  const asked: ((items: readonly string[]) => void)[] = []
  const done: string[] = []
  const failures: unknown[] = []
  const lanes = openLanes<string>({
    atOnce,
    find: () => new Promise((resolve) => asked.push(resolve)),
    async work(item) {
      done.push(item)
    },
    failed: (error) => failures.push(error),
  })
  const answer = async (items: readonly string[]): Promise<void> => {
    asked.shift()?.(items)
    await new Promise(setImmediate)
  }
  return { lanes, asked, done, failures, answer }
}

it('look once more for what came while they looked', async () => {
  const { lanes, asked, done, answer } = openByHand(2)
  const drained = lanes.drain()
  lanes.wake()
  // This answer was found before the second call, and may lack what it is about.
  await answer([])
  expect(asked.length).toBe(1)
  await answer(['late'])
  await answer([])
  await drained
  expect(done).toEqual(['late'])
  expect(asked).toEqual([])
})

it('do not look again when nobody asked', async () => {
  const { lanes, asked, answer } = openByHand(2)
  const drained = lanes.drain()
  await answer([])
  await drained
  expect(asked).toEqual([])
})

it('take nothing more once they are ended', async () => {
  const { lanes, asked, done, answer } = openByHand(1)
  lanes.wake()
  const ended = lanes.end()
  await answer(['a', 'b'])
  await ended
  lanes.wake()
  await lanes.drain()
  expect(done).toEqual([])
  expect(asked).toEqual([])
})

it('tell that they could not look, and work again afterwards', async () => {
  const failures: unknown[] = []
  const done: string[] = []
  const answers = [Promise.reject(new Error('down')), Promise.resolve(['a']), Promise.resolve([])]
  const lanes = openLanes<string>({
    atOnce: 2,
    find: () => answers.shift() ?? Promise.resolve([]),
    async work(item) {
      done.push(item)
    },
    failed: (error) => failures.push(error),
  })
  await expect(lanes.drain()).rejects.toThrow('down')
  expect(failures).toHaveLength(1)
  await lanes.drain()
  expect(done).toEqual(['a'])
})
