import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Target } from './target.ts'

/** What the thread is told when it starts. */
export interface Crowd {
  readonly target: Target
  readonly count: number
}

/** What it tells when it is stopped. */
export interface Outcome {
  readonly perSecond: number
  readonly failures: readonly string[]
}

export interface People {
  /** Lets the sign-ins under way end. */
  stop(): Promise<Outcome>
}

/**
 * Starts people who sign in again and again, on a thread of their own:
 * on the generator's thread their work would lengthen the latencies it measures.
 * Resolves when one of them has signed in, so that all are under way.
 */
export async function startPeople(crowd: Crowd): Promise<People> {
  const worker = new Worker(new URL('sign-in-thread.ts', import.meta.url), { workerData: crowd })
  await once(worker, 'message')
  return {
    async stop() {
      const told: Promise<Outcome[]> = once(worker, 'message')
      worker.postMessage('stop')
      const [outcome] = await told
      if (!outcome) throw new Error('the sign-ins told nothing')
      return outcome
    },
  }
}
