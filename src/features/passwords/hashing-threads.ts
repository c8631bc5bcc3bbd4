import { Worker } from 'node:worker_threads'
import type { Options } from '@node-rs/argon2'

export type Task =
  | { readonly work: 'hash'; readonly password: string; readonly parameters: Options }
  | { readonly work: 'verify'; readonly password: string; readonly stored: string }

export type Answer = { readonly value: string | boolean } | { readonly failure: string }

export interface HashingThreads {
  /** Rejects when the work fails or its thread dies; the next call is served by another one. */
  run(task: Task): Promise<string | boolean>
}

interface Thread {
  readonly isAlive: () => boolean
  run(task: Task): Promise<Answer>
  /** It ends when it has nothing to do for some time. */
  rest(): void
}

const idleMilliseconds = 20_000

/**
 * Threads that hash, as many as there are calls at a time. The first call starts one; it keeps no process alive and ends
 * when it is idle, because it takes some 20 MB.
 */
export function openHashingThreads(): HashingThreads {
  const resting: Thread[] = []

  return {
    async run(task) {
      const thread = resting.findLast(({ isAlive }) => isAlive()) ?? startThread()
      const kept = resting.filter((each) => each !== thread && each.isAlive())
      resting.splice(0, resting.length, ...kept)
      const answer = await thread.run(task)
      thread.rest()
      resting.push(thread)
      if ('failure' in answer) throw new Error(`Hashing failed: ${answer.failure}`)
      return answer.value
    },
  }
}

function startThread(): Thread {
  const worker = new Worker(new URL('./hashing-thread.ts', import.meta.url), { execArgv: [] })
  let alive = true
  let error: unknown
  let asked: PromiseWithResolvers<Answer> | undefined
  let timer: NodeJS.Timeout | undefined
  worker.on('message', (answer: Answer) => asked?.resolve(answer))
  worker.on('error', (cause) => {
    alive = false
    error = cause
  })
  worker.on('exit', () => {
    alive = false
    asked?.reject(new Error('The thread that hashes passwords has ended.', { cause: error }))
  })

  return {
    isAlive: () => alive,

    run(task) {
      clearTimeout(timer)
      asked = Promise.withResolvers<Answer>()
      worker.ref()
      worker.postMessage(task)
      return asked.promise
    },

    rest() {
      asked = undefined
      worker.unref()
      timer = setTimeout(() => {
        alive = false
        void worker.terminate()
      }, idleMilliseconds).unref()
    },
  }
}
