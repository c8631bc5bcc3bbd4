import { setTimeout } from 'node:timers/promises'
import type { Job } from '../features/feature.ts'
import type { Log } from '../kernel/log.ts'

/** Lets one of many processes run a job at a time. */
export interface Leases {
  /** True when this process may run `name` now and for `seconds`, and nobody has run it in the last `everySeconds`. */
  take(name: string, lease: { readonly everySeconds: number; readonly seconds: number }): Promise<boolean>
  finish(name: string): Promise<void>
  /** Gives it back undone. */
  release(name: string): Promise<void>
}

const leaseSeconds = 120
const longestWaitSeconds = 30

export interface JobRunner {
  /** Waits for the batch under way, if there is one. */
  stop(): Promise<void>
}

/** Runs every job in its rhythm until stopped. A job that fails is logged and tried again at its next turn. */
export function runJobs(
  jobs: readonly Job[],
  { leases, log }: { readonly leases: Leases; readonly log: Log },
): JobRunner {
  const stopping = new AbortController()
  const loops = jobs.map((job) => loop(job))

  async function loop(job: Job): Promise<void> {
    const wait = Math.min(job.everySeconds, longestWaitSeconds) * 1000
    while (!stopping.signal.aborted) {
      await turn(job)
      await setTimeout(wait, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
    }
  }

  async function turn(job: Job): Promise<void> {
    try {
      if (!(await leases.take(job.name, { everySeconds: job.everySeconds, seconds: leaseSeconds }))) return
      let more = true
      while (more && !stopping.signal.aborted) more = (await job.run()).more
      await leases.finish(job.name)
    } catch (error) {
      log.warn({ err: error, job: job.name }, 'a background job failed and will be tried again')
      // Where the database is what failed, the lease runs out by itself.
      await leases.release(job.name).catch(() => {})
    }
  }

  return {
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}
