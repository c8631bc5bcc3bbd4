/** Deliveries to try the outbox with, and what its table holds. */
import type { Delivery } from '../../src/features/feature.ts'
import type { Post } from './post.ts'

/** A delivery that keeps what it gets, after doing what it is told. */
export const keeping = (
  topic: string,
  before: (payload: unknown, signal: AbortSignal) => Promise<void> = async () => {},
) => {
  const got: unknown[] = []
  const delivery: Delivery = {
    topic,
    async deliver(payload, signal) {
      await before(payload, signal)
      got.push(payload)
    },
  }
  return { got, delivery }
}

export const put = (
  post: Pick<Post, 'storage' | 'outbox'>,
  payload: unknown,
  topic = 'work',
): Promise<void> => post.storage.transaction((db) => post.outbox.outbox.put(db, topic, payload))

export const rows = (post: Post) => post.storage.db.outboxMessage.findMany({ orderBy: { createdAt: 'asc' } })
export const onlyRow = async (post: Post) => {
  const [row, ...others] = await rows(post)
  if (row === undefined || others.length > 0) throw new Error('There is not exactly one row.')
  return row
}
