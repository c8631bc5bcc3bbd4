import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { signIn } from './flows.ts'
import type { Crowd, Outcome } from './sign-in-people.ts'

const { target, count }: Crowd = workerData
const failures: string[] = []
let stopping = false
let signIns = 0

if (!parentPort) throw new Error('this is a worker thread')
const stop = once(parentPort, 'message')
const startedAt = performance.now()
const people = Array.from({ length: count }, person)
await stop
stopping = true
const perSecond = (signIns / (performance.now() - startedAt)) * 1000
await Promise.all(people)
parentPort.postMessage({ perSecond, failures } satisfies Outcome)

async function person(): Promise<void> {
  while (!stopping) {
    try {
      await signIn(target)
      signIns += 1
    } catch (error) {
      failures.push(String(error))
      stopping = true
    }
    if (signIns + failures.length === 1) parentPort?.postMessage('under way')
  }
}
