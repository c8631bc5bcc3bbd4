/** Runs in a thread of its own and hashes synchronously there, one password at a time, at the lowest urgency. */
import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/argon2'
import type { Answer, Task } from './hashing-threads.ts'

const priority = 10

if (parentPort === null) throw new Error('This module runs in a worker thread.')
const port = parentPort
giveWay()
port.on('message', (task: Task) => port.postMessage(answer(task)))

function answer(task: Task): Answer {
  try {
    const value =
      task.work === 'hash' ? hashSync(task.password, task.parameters) : verifySync(task.stored, task.password)
    return { value }
  } catch (error) {
    return { failure: String(error) }
  }
}

/** Linux keeps a priority for each thread; elsewhere this would slow down the whole process. */
function giveWay(): void {
  if (process.platform !== 'linux' || getPriority() >= priority) return
  try {
    setPriority(priority)
  } catch {
    // A sandbox that forbids it; hashing then competes with the rest.
  }
}
