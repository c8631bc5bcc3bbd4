import type { DatabaseTransaction, Storage, Topic } from './storage.ts'

/** All or nothing, and every process drops what it cached of the topic; this one by `drop`. */
export const openChanges =
  (storage: Storage, topic: Topic, drop: () => void) =>
  async <T>(work: (db: DatabaseTransaction) => Promise<T>): Promise<T> => {
    const result = await storage.transaction(async (db) => {
      const answer = await work(db)
      await storage.touch(db, topic)
      return answer
    })
    drop()
    return result
  }
